package diff

import (
	_ "embed"
	"strings"
	"sync"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// defaultText lists the Envoy fields for which an explicit default has the same meaning
// as an unset field, one per line. The line contains the field's name. For an enum, the
// first enum value follows; for other fields the default is false, 0 or "". A name is
// omitted if some message uses it for a field of another kind.
//
//go:embed defaults.txt
var defaultText string

var defaults = sync.OnceValue(func() map[string]string {
	m := map[string]string{"type": "STATIC"} // the type of a cluster is in a oneof, so it may also be unset
	for line := range strings.Lines(defaultText) {
		name, word, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		m[name] = word
	}
	return m
})

// isUnset reports whether a field with the value v has the same meaning as an absent
// field. That is the case for null and for an empty list. In Envoy's messages it is also
// the case for the field's default.
func (p location) isUnset(v any) bool {
	switch x := v.(type) {
	case nil:
		return true
	case []any:
		return len(x) == 0
	case *object.Object:
		return false
	}
	if p.rules != envoy {
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
