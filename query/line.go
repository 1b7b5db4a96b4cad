package query

import "github.com/meshq/kubectl-meshq/query/syntax"

// OneLine returns a query as it was parsed, on one line and without its
// comments. A text that is no query is returned as it is.
func OneLine(src string) string {
	p, err := syntax.Parse("", src)
	if err != nil {
		return src
	}
	return syntax.Format(p.Query)
}
