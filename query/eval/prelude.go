package eval

import (
	_ "embed"
	"strings"

	"github.com/meshq/kubectl-meshq/query/syntax"
)

//go:embed prelude.jq
var preludeSource string

// preludeTexts returns the text of each builtin that is written in jq. The keys have the
// form "name/arity". A text is parsed only if a query calls the builtin.
func preludeTexts() map[string]string {
	texts := make(map[string]string, 32)
	rest := preludeSource
	for {
		i := strings.Index("\n"+rest, "\ndef ")
		if i < 0 {
			return texts
		}
		rest = rest[i:]
		end := len(rest)
		if j := strings.Index(rest, "\ndef "); j >= 0 {
			end = j + 1
		}
		texts[signature(rest[:end])] = rest[:end]
		rest = rest[end:]
	}
}

// signature returns the name and the arity of a jq definition as "name/arity".
func signature(def string) string {
	head, _, _ := strings.Cut(strings.TrimPrefix(def, "def "), ":")
	name, params, has := strings.Cut(head, "(")
	if !has {
		return syntax.Key(name, 0)
	}
	return syntax.Key(name, strings.Count(params, ";")+1)
}
