package query

import "github.com/meshq/kubectl-meshq/query/syntax"

// OneLine returns a query, as it was parsed, on one line and without its comments.
// It returns a text that isn't a valid query unchanged.
func OneLine(src string) string {
	p, err := syntax.Parse("", src)
	if err != nil {
		return src
	}
	return syntax.Format(p.Query)
}
