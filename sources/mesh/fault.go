package mesh

import (
	"cmp"
	"strings"
	"unicode/utf8"
)

// A Fault says what part of the document can't be had, and why. Touching that
// part raises it as an error; document and evaluator decide what that means
// for the rest (a broken proxy never ends the run).
type Fault struct {
	Proxy   string // the proxy's id, "reviews-v1-7f99cc4496-gdxfn.default"; empty when it is not about one
	Subject string // whose it is when it is not a proxy: a pilot's name, "kubernetes"
	Section string // "clusters", "syncz", "pods"
	Err     error  // the fact: what was met
}

// Error states the fact, the thing first: "reviews-v1.default: clusters: port 15000 refused".
func (f *Fault) Error() string {
	whose := cmp.Or(f.Proxy, f.Subject)
	s := f.Fact()
	if whose != "" {
		s = strings.TrimPrefix(s, whose+": ") // where the fact names it, too
	}
	if f.Section != "" {
		s = f.Section + ": " + s
	}
	if whose != "" {
		s = whose + ": " + s
	}
	return s
}

// Fact says what was met. Part of it is what servers and files say, which may
// be of any length: it is brief.
func (f *Fault) Fact() string { return Brief(f.Err.Error()) }

// MostFact is how many characters the text of a fault has at most.
const MostFact = 300

// Brief gives a text of at most [MostFact] characters.
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

// Unwrap gives the fact.
func (f *Fault) Unwrap() error { return f.Err }
