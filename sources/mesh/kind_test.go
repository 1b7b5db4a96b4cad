package mesh

import (
	"regexp"
	"slices"
	"testing"
)

func TestKinds(t *testing.T) {
	camel := regexp.MustCompile(`^[a-z][A-Za-z0-9]*$`)
	names := map[string]bool{}
	for _, k := range Kinds() {
		if names[k.Name] {
			t.Errorf("%s is there twice", k.Name)
		}
		names[k.Name] = true
		fields := map[string]bool{}
		for _, f := range k.Fields {
			if fields[f.Name] {
				t.Errorf("%s.%s is there twice", k.Name, f.Name)
			}
			fields[f.Name] = true
			if !camel.MatchString(f.Name) {
				t.Errorf("%s.%s is not lowerCamelCase", k.Name, f.Name)
			}
		}
	}
	for _, k := range Kinds() {
		for _, f := range k.Fields {
			if f.Of != "" && !names[f.Of] {
				t.Errorf("%s.%s is of kind %s, which there is none of", k.Name, f.Name, f.Of)
			}
		}
	}
}

func TestSectionsOf(t *testing.T) {
	names := func(parts []Part) (out []Section) {
		for _, p := range parts {
			out = append(out, p.Name)
		}
		return out
	}
	if got := names(RecordedSectionsOf("ztunnel")); !slices.Equal(got, []Section{Secrets, Workloads, Services, Policies, Connections}) {
		t.Errorf("recorded ztunnel: %v", got)
	}
	if got := names(SectionsOf("ztunnel")); !slices.Equal(got, []Section{Secrets, Loggers, Workloads, Services, Policies, Connections}) {
		t.Errorf("ztunnel: %v", got)
	}
	envoy := []Section{Clusters, Listeners, Routes, Endpoints, Secrets, Extensions, Bootstrap, Server, Stats, Loggers, Updates}
	for _, kind := range []string{"sidecar", "router", "waypoint", ""} {
		if got := names(SectionsOf(kind)); !slices.Equal(got, envoy) {
			t.Errorf("%s: %v", kind, got)
		}
	}
}

// TestSyncTypes checks that the types are those of the table in document.md, in
// the same order, and that no URL belongs to two types.
func TestSyncTypes(t *testing.T) {
	var keys []string
	urls := map[string]bool{}
	for _, s := range SyncTypes() {
		keys = append(keys, s.Key)
		for _, u := range s.URLs {
			if urls[u] {
				t.Errorf("%s is there twice", u)
			}
			urls[u] = true
		}
	}
	if want := []string{"cds", "lds", "eds", "rds", "sds", "ecds", "nds", "pcds", "wds", "wads", "agds"}; !slices.Equal(keys, want) {
		t.Errorf("got %v", keys)
	}
}

// TestFieldsAreDescribed checks that every field has a description, because
// help prints it.
func TestFieldsAreDescribed(t *testing.T) {
	for _, k := range Kinds() {
		for _, f := range k.Fields {
			if f.Doc == "" {
				t.Errorf("%s.%s says nothing of itself", k.Name, f.Name)
			}
		}
	}
}
