package mesh

import (
	"cmp"
	"strings"
	"unicode/utf8"
)

// A Fault says which part of the document is unavailable, and why. Reading that
// part raises the fault as an error; the document and the evaluator decide what
// that means for the rest. One broken proxy never ends a run.
type Fault struct {
	Proxy   string // the proxy's id, "reviews-v1-7f99cc4496-gdxfn.default"; empty if it is not about one
	Subject string // what it is about if not a proxy: an istiod's name, "kubernetes"
	Section string // "clusters", "syncz", "pods"
	Err     error  // the cause
}

// Error returns the fact behind the name of what it is about:
// "reviews-v1.default: clusters: port 15000 refused".
func (f *Fault) Error() string {
	whose := cmp.Or(f.Proxy, f.Subject)
	s := f.Fact()
	if whose != "" {
		s = strings.TrimPrefix(s, whose+": ") // if the cause names it, too
	}
	if f.Section != "" {
		s = f.Section + ": " + s
	}
	if whose != "" {
		s = whose + ": " + s
	}
	return s
}

// Fact returns the cause alone, shortened by [Brief]: it may contain text of
// any length from servers and files.
func (f *Fault) Fact() string { return Brief(f.Err.Error()) }

// MostFact is the largest number of characters in the text of a fault.
const MostFact = 300

// Brief shortens a text to [MostFact] characters.
func Brief(text string) string {
	if len(text) <= MostFact {
		return text
	}
	n := 0
	for i := range text {
		if n++; n == MostFact {
			if _, size := utf8.DecodeRuneInString(text[i:]); i+size == len(text) {
				return text
			}
			return text[:i] + "…"
		}
	}
	return text
}

// Unwrap returns the cause.
func (f *Fault) Unwrap() error { return f.Err }
