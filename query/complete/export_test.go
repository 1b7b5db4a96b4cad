package complete

import "github.com/meshq/kubectl-meshq/query/syntax"

// Probe returns the query that reads the values for the candidates at the end of a
// source. It returns "" if no values have to be read.
func Probe(src, what string) (query string) {
	p := locate(src)
	if p.place != atField {
		return ""
	}
	c := &completer{position: p, base: base()}
	c.Look = func(text string, _ func(any) bool) { query = text }
	c.readValues(p.query, what, nil)
	return query
}

// Ambiguous reports whether a source ends in a call to which more arguments may be added.
// The number of arguments determines what the input of the first argument is.
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

// Undefined returns the functions, from a list of "name/arity", that are not defined in
// shapes.jq.
func Undefined(functions []string) (unknown []string) {
	known := base()
	for _, f := range functions {
		if known[f] == nil {
			unknown = append(unknown, f)
		}
	}
	return unknown
}
