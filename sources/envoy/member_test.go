package envoy

import (
	"maps"
	"reflect"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// What is known of an object without looking into it is what is in it, and
// what isn't in it is null: for every field that any object of the section has.
func TestMembersAreThoseOfTheFields(t *testing.T) {
	for _, dir := range captured(t) {
		for _, s := range []mesh.Section{mesh.Clusters, mesh.Listeners, mesh.Routes, mesh.Extensions} {
			read := func() []any {
				v, err := open(t, dir).Section(t.Context(), s)
				if err != nil {
					t.Fatal(err)
				}
				return v.([]any)
			}
			want, names := read(), map[string]any{"noSuchField": nil}
			for _, o := range want {
				m, err := o.(*mesh.Object).Fields(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				maps.Copy(names, m)
			}
			for name := range names {
				known := 0
				for i, o := range read() {
					got, ok := o.(*mesh.Object).Member(name)
					if !ok {
						continue
					}
					known++
					fields, _ := want[i].(*mesh.Object).Fields(t.Context())
					a, err := mesh.Deep(t.Context(), got)
					b, e := mesh.Deep(t.Context(), fields[name])
					if err != nil || e != nil || !reflect.DeepEqual(a, b) {
						t.Errorf("%s: %s: %s: element %d: %v, in its fields %v (%v, %v)", dir, s, name, i, a, b, err, e)
					}
				}
				if known == 0 && len(want) > 0 && (name == "name" || name == "noSuchField") {
					t.Errorf("%s: %s: nothing is known of %s", dir, s, name)
				}
			}
		}
	}
}
