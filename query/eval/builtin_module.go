package eval

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/values"
)

// moduleMeta is modulemeta: what a module says of itself, what it defines and
// what it imports.
func moduleMeta(c *compiler, f *syntax.Func, s *scope) *node {
	modules := c.opts.Modules
	return c.apply(f, s, func(m *machine, in any, _ []any) (any, error) {
		v, err := m.Force(in)
		if err != nil {
			return nil, err
		}
		name, ok := v.(string)
		if !ok {
			return nil, values.TextError("modulemeta input module name must be a string")
		}
		if modules == nil {
			return nil, fmt.Errorf("cannot load module: %q", name)
		}
		p, _, err := modules.Module(name, nil, nil)
		if err != nil {
			return nil, err
		}
		meta := metaOf(p.Query.Meta)
		meta.Set("deps", dependencies(p.Query))
		meta.Set("defs", definitions(p.Query))
		return meta, nil
	})
}

func definitions(q *syntax.Query) []any {
	defs := slices.Clone(q.FuncDefs)
	slices.SortFunc(defs, func(a, b *syntax.FuncDef) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(len(a.Args), len(b.Args)))
	})
	out := []any{}
	for _, d := range defs {
		if d.Name[0] != '_' {
			out = append(out, syntax.Key(d.Name, len(d.Args)))
		}
	}
	return out
}

func dependencies(q *syntax.Query) []any {
	out := make([]any, len(q.Imports))
	for i, im := range q.Imports {
		dep := metaOf(im.Meta)
		if im.ImportAlias != "" {
			dep.Set("as", strings.TrimPrefix(im.ImportAlias, "$"))
		}
		dep.Set("is_data", strings.HasPrefix(im.ImportAlias, "$"))
		dep.Set("relpath", cmp.Or(im.ImportPath, im.IncludePath))
		out[i] = dep
	}
	return out
}
