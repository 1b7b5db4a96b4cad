package eval

// env holds what the names of a scope stand for while the query runs: a
// variable, a definition, or an argument that is a query. It has the form of
// the [scope] it was compiled under, an entry for an entry.
type env struct {
	up *env
	v  any   // a variable
	n  *node // an argument that is a query,
	ne *env  // and where it was written
}

// at gives the entry d steps up.
func (e *env) at(d int) *env {
	for ; d > 0; d-- {
		e = e.up
	}
	return e
}

// scope is what a name stands for while the query is compiled.
type scope struct {
	up    *scope
	name  string    // "$x", "f/1", or "label x"
	fn    *function // a definition
	param bool      // an argument that is a query
}

// find gives the nearest entry of that name and how many steps up it is; nil
// when there is none.
func (s *scope) find(name string) (*scope, int) {
	d := 0
	for x := s; x != nil; x = x.up {
		if x.name == name {
			return x, d
		}
		d++
	}
	return nil, 0
}
