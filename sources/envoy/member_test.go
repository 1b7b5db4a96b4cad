package envoy

import (
	"testing"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// TestMembersAreThoseOfTheFields checks that Member returns the same values as
// Fields, and null for a missing field. It tries every field that any object of
// the section has, and the fields inside these.
func TestMembersAreThoseOfTheFields(t *testing.T) {
	for _, dir := range captured(t) {
		section := func(s mesh.Section) func() []any {
			return func() []any {
				v, err := open(t, dir).Section(t.Context(), s)
				if err != nil {
					t.Fatal(err)
				}
				return v.([]any)
			}
		}
		hosts := within(t, section(mesh.Routes), "virtualHosts")
		for name, read := range map[string]func() []any{
			"clusters": section(mesh.Clusters), "listeners": section(mesh.Listeners), "routes": section(mesh.Routes),
			"extensions": section(mesh.Extensions), "virtual hosts": hosts, "routes of virtual hosts": within(t, hosts, "routes"),
		} {
			membersAreThoseOfTheFields(t, dir+": "+name, read)
		}
	}
}

// within returns a function that collects the elements of the arrays under a
// key. It reads these arrays from the objects that read returns.
func within(t *testing.T, read func() []any, key string) func() []any {
	return func() (all []any) {
		for _, o := range read() {
			v, err := mesh.Get(t.Context(), o, key)
			if err == nil {
				v, err = mesh.Force(t.Context(), v)
			}
			if err != nil {
				t.Fatal(err)
			}
			if v != nil {
				all = append(all, v.([]any)...)
			}
		}
		return all
	}
}

func membersAreThoseOfTheFields(t *testing.T, what string, read func() []any) {
	t.Helper()
	want, names := read(), object.Of("noSuchField", nil)
	for _, o := range want {
		m, err := o.(*mesh.Object).Fields(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		names.SetAll(m)
	}
	for name := range names.All() {
		known := 0
		for i, o := range read() {
			got, ok := o.(*mesh.Object).Member(name)
			if !ok {
				continue
			}
			known++
			fields, _ := want[i].(*mesh.Object).Fields(t.Context())
			a, err := mesh.Deep(t.Context(), got)
			b, e := mesh.Deep(t.Context(), fields.Get(name))
			if err != nil || e != nil || !object.Equal(a, b) {
				t.Errorf("%s: %s: element %d: %v, in its fields %v (%v, %v)", what, name, i, a, b, err, e)
			}
		}
		if known == 0 && len(want) > 0 && (name == "name" || name == "noSuchField") {
			t.Errorf("%s: nothing is known of %s", what, name)
		}
	}
}

// TestSomeAreThoseOfTheFields checks that Some returns the same values as
// Fields for the fields that are columns of the clusters table, and nil if one
// of the fields is not known.
func TestSomeAreThoseOfTheFields(t *testing.T) {
	keys := []string{"clusterType", "destinationRule", "direction", "fqdn", "lastUpdated", "name", "port", "state", "subset", "type", "versionInfo"}
	for _, dir := range captured(t) {
		v, err := open(t, dir).Section(t.Context(), mesh.Clusters)
		if err != nil {
			t.Fatal(err)
		}
		known := 0
		for i, o := range v.([]any) {
			o := o.(*mesh.Object)
			if got := o.Some(t.Context(), append([]string{"metadata"}, keys...)); got != nil {
				t.Errorf("%s: element %d: %v, and metadata is not known", dir, i, got)
			}
			got := o.Some(t.Context(), keys)
			if got == nil {
				continue
			}
			known++
			want, err := o.Fields(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got.Len() != len(keys)+1 || got.Get("kind") != "Cluster" {
				t.Errorf("%s: element %d: %v", dir, i, got)
			}
			for _, key := range keys {
				a, err := mesh.Deep(t.Context(), got.Get(key))
				b, e := mesh.Deep(t.Context(), want.Get(key))
				if err != nil || e != nil || !object.Equal(a, b) {
					t.Errorf("%s: element %d: %s: %v, in its fields %v (%v, %v)", dir, i, key, a, b, err, e)
				}
			}
		}
		if known == 0 {
			t.Errorf("%s: nothing is known", dir)
		}
	}
}
