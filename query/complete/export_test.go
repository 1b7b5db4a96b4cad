package complete

import "github.com/meshq/kubectl-meshq/query/syntax"

// Probe is the query that looks at what stands at the end of a source; empty
// where nothing can be looked at.
func Probe(src, what string) (query string) {
	p := locate(src)
	if p.place != aField {
		return ""
	}
	c := &completer{position: p, base: base()}
	c.Look = func(text string, _ func(any) bool) { query = text }
	c.look(p.query, what, nil)
	return query
}

// Ambiguous tells whether a source ends in a call that may have more arguments
// or not: what comes to the first one is not the same then.
func Ambiguous(src string) bool {
	p := locate(src)
	known := base()
	for _, f := range p.frames {
		if f.call != "" && known[syntax.Key(f.call, f.arg+1)] != nil && known[syntax.Key(f.call, f.arg+2)] != nil {
			return true
		}
	}
	return false
}
