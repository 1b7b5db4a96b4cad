package envoy

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// TestDerivedFieldsNeedWhatTheySay checks mesh.Field.Needs, which lists the
// fields of a resource from which a derived field is computed. It computes the
// derived fields of every recorded resource twice: from the whole resource, and
// from the fields in Needs (and the name, which is always requested). If Needs
// lacks a field, the two values differ.
//
// It also checks that the derived fields are the same as those in mesh.Kinds,
// and that the needed fields can be requested from Envoy with a mask if the
// section supports masks.
func TestDerivedFieldsNeedWhatTheySay(t *testing.T) {
	for _, c := range []catalog{clusterCatalog, listenerCatalog, extensionCatalog} {
		c.eager = true
		seen, made := map[string]bool{}, map[string]bool{}
		for _, dir := range captured(t) {
			p := open(t, dir)
			all, err := p.resources(t.Context(), c)
			if err != nil && !absent(err) && !missing(err) {
				t.Fatal(err)
			}
			for _, r := range all {
				whole := c.make(p, &r)
				for name := range whole.All() {
					if _, own := r.fields.Lookup(name); !own && !slices.Contains([]string{"kind", "name", "state", "versionInfo", "lastUpdated", "error"}, name) {
						made[name] = true
					}
				}
				for name, needs := range c.needs {
					part := object.New(0)
					for _, need := range needs {
						if v, ok := r.fields.Lookup(need); ok {
							part.Set(need, v)
						}
					}
					some := r
					some.fields = part
					want, got := deepValue(t, whole.Get(name)), deepValue(t, c.make(p, &some).Get(name))
					if !object.Equal(want, got) {
						t.Fatalf("%s.%s is %v of all fields, and %v of %q: Needs lacks a field", c.kind(), name, want, got, needs)
					}
					if want != nil {
						seen[name] = true
					}
				}
			}
		}
		for _, name := range slices.Sorted(maps.Keys(made)) {
			if c.needs[name] == nil {
				t.Errorf("%s.%s is made, and has no row with Needs in mesh.Kinds", c.kind(), name)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(c.needs)) {
			// no recording contains an extension, so none could be tested
			if !seen[name] && c.section != mesh.Extensions {
				t.Errorf("%s.%s: no recorded resource has it", c.kind(), name)
			}
			if c.masked != nil && c.masked.message != "" && !CanExcerpt(c.section, []string{name}) {
				t.Errorf("%s.%s: a live Envoy can't be asked for %q", c.kind(), name, c.needs[name])
			}
		}
	}
}

func deepValue(t *testing.T, v any) any {
	t.Helper()
	v, err := mesh.Deep(context.Background(), v)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
