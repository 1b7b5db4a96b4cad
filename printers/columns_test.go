package printers

import (
	"testing"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// TestColumns checks that a table shows the columns in Options.Columns, in
// their order. Columns of -o wide are shown too. A column with a condition is
// shown only if its condition holds.
func TestColumns(t *testing.T) {
	cluster := func(state string) *object.Object {
		return object.Of("kind", "Cluster", "name", "a", "port", 80, "fqdn", "b", "direction", "outbound", "versionInfo", "7", "state", state)
	}
	of := func(kind string, headers ...string) Options {
		return Options{Format: "wide", Columns: map[string][]string{kind: headers}}
	}
	for _, c := range []struct {
		name  string
		o     Options
		value any
		want  string
	}{
		{"of the kind", of("Cluster", "VERSION", "PORT", "STATE"), cluster("ACTIVE"), "VERSION   PORT\n7         80\n"},
		{"sometimes", of("", "VERSION", "STATE"), cluster("WARMING"), "VERSION   STATE\n7         WARMING\n"},
		{"of another kind", of("Listener", "PORT"), object.Of("kind", "ExtensionConfig", "name", "a"), "NAME   TYPE   UPDATED   VERSION\na      -      -         -\n"},
		{"objects", Options{Format: "table", Columns: map[string][]string{"": {"NOT AFTER", "NAME", "NONE"}}},
			object.Of("name", "a", "notAfter", "b", "more", "c"), "NOT AFTER   NAME\nb           a\n"},
	} {
		if got := render(t, c.o, c.value); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}
