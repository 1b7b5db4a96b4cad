package complete

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
