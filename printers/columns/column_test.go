package columns

import (
	"slices"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// TestKindsAreComplete checks that every kind of the document has a table,
// except Mesh and Desired, and that every column lists the fields that it
// reads.
func TestKindsAreComplete(t *testing.T) {
	var have []string
	for _, k := range Kinds() {
		have = append(have, k.Name)
		for _, c := range k.Columns {
			if c.Header == "" || c.Header != strings.ToUpper(c.Header) {
				t.Errorf("%s: header %q", k.Name, c.Header)
			}
			if len(c.Fields) == 0 && c.Header != "PROXY" {
				t.Errorf("%s: %s doesn't say what it looks at", k.Name, c.Header)
			}
			if (c.shown != nil) != (c.Sometimes != "") {
				t.Errorf("%s: %s doesn't say when it is there", k.Name, c.Header)
			}
		}
		if !slices.ContainsFunc(k.Columns, func(c Column) bool { return c.isName }) {
			t.Errorf("%s has no column of its name", k.Name)
		}
	}
	for _, k := range mesh.Kinds() {
		if k.Name != "Mesh" && k.Name != "Desired" && !slices.Contains(have, k.Name) {
			t.Errorf("no table of %s", k.Name)
		}
	}
}
