package mesh

import (
	"cmp"
	"strings"
	"unicode/utf8"
)

// A Fault describes a part of the document that is unavailable, and the reason.
// Reading that part returns the fault as an error. The document and the
// evaluator decide whether the rest can be used. One broken proxy never ends a
// run.
type Fault struct {
	Proxy   string // the proxy's id, such as "reviews-v1-7f99cc4496-gdxfn.default"; may be empty
	Subject string // the name of an istiod, or "kubernetes", if the fault isn't about a proxy
	Section string // the section or list that is unavailable, such as "clusters", "syncz" or "pods"
	Err     error  // the error that made the part unavailable
}

// Error returns the cause, after the names of the proxy or subject and of the
// section: "reviews-v1.default: clusters: port 15000 refused".
func (f *Fault) Error() string {
	whose := cmp.Or(f.Proxy, f.Subject)
	s := f.Fact()
	if whose != "" {
		s = strings.TrimPrefix(s, whose+": ") // the cause's text may begin with the same name
	}
	if f.Section != "" {
		s = f.Section + ": " + s
	}
	if whose != "" {
		s = whose + ": " + s
	}
	return s
}

// Fact returns the text of the cause alone, shortened by [Brief], because it
// may contain long texts from servers and files.
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

// Unwrap returns the cause of the fault.
func (f *Fault) Unwrap() error { return f.Err }
