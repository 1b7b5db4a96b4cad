package eval

import "github.com/meshq/kubectl-meshq/query/syntax"

type wantedNames func()

func (c *compiler) wanted(q *syntax.Query, s *scope) wantedNames { return nil }

func iterateWanted(n *node, w wantedNames) *node { return n }
