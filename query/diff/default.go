package diff

import (
	_ "embed"
	"strings"
	"sync"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// defaultText has a line for each name that fields of Envoy's have which are
// not told from one that isn't set when they have their default: alone that of
// fields whose default is false, 0 or "", else with an enum's first word. Names
// that some message has for another sort of field are not in it.
//
//go:embed defaults.txt
var defaultText string

var defaults = sync.OnceValue(func() map[string]string {
	m := map[string]string{"type": "STATIC"} // a cluster's, one of several fields of which none need be set
	for line := range strings.Lines(defaultText) {
		name, word, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		m[name] = word
	}
	return m
})

// unsaid tells whether a member that says so says no more than one that isn't
// there: null, an empty list and, of Envoy's own, what a field has by default.
func (p place) unsaid(v any) bool {
	switch x := v.(type) {
	case nil:
		return true
	case []any:
		return len(x) == 0
	case *object.Object:
		return false
	}
	if p.realm != envoy {
		return false
	}
	word, ok := defaults()[p.name]
	if !ok {
		return false
	}
	switch x := v.(type) {
	case string:
		return x == word || x == "0" && word == ""
	case bool:
		return !x && word == ""
	}
	return isNumber(v) && float(v) == 0
}
