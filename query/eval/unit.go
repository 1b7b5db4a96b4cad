package eval

import (
	"fmt"
	"strings"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// unit is one text: the query, a module, a program of the library, or the
// builtins that are written in jq. The definitions of all but the query stand
// alone: they need no environment, and see only what stands before them.
type unit struct {
	prog    *syntax.Program
	place   any  // where a module was found, for what it imports
	hidden  bool // errors are not said to be in its text
	defs    []*syntax.FuncDef
	index   map[string][]int // by "name/arity", in order
	done    map[int]*function
	imports []imported
	data    *object.Object // by "$name"
}

// imported is a unit that another one imports, or includes when it has no
// alias.
type imported struct {
	alias string
	unit  *unit
}

// all definitions of a unit are before it.
const all = 1 << 30

func newUnit(p *syntax.Program, hidden bool) *unit {
	return &unit{prog: p, hidden: hidden, index: map[string][]int{}, done: map[int]*function{}, data: object.New(0)}
}

func (u *unit) add(defs ...*syntax.FuncDef) {
	for _, d := range defs {
		k := syntax.Key(d.Name, len(d.Args))
		u.index[k] = append(u.index[k], len(u.defs))
		u.defs = append(u.defs, d)
	}
}

// find gives the last definition of that name among the first before of the
// unit, or else what the unit imported.
func (u *unit) find(k string, before int) (*unit, int) {
	places := u.index[k]
	for j := len(places) - 1; j >= 0; j-- {
		if places[j] < before {
			return u, places[j]
		}
	}
	for j := len(u.imports) - 1; j >= 0; j-- {
		im := u.imports[j]
		name := k
		if im.alias != "" {
			var ok bool
			if name, ok = strings.CutPrefix(k, im.alias+"::"); !ok {
				continue
			}
		}
		if found, i := im.unit.find(name, all); found != nil {
			return found, i
		}
	}
	return nil, 0
}

// keys calls f with the names of all that find finds.
func (u *unit) keys(f func(string)) {
	for k := range u.index {
		f(k)
	}
	for _, im := range u.imports {
		im.unit.keys(func(k string) {
			if im.alias != "" {
				k = im.alias + "::" + k
			}
			f(k)
		})
	}
}

// maxImports is how deep modules may import one another; there is no other
// guard against one that imports itself.
const maxImports = 64

// load loads what a unit imports.
func (c *compiler) load(u *unit, depth int) {
	was := c.unit
	c.unit = u
	defer func() { c.unit = was }()
	for _, im := range u.prog.Query.Imports {
		path := im.ImportPath + im.IncludePath
		if c.opts.Modules == nil {
			c.fail(im.Span, "cannot load module: %q", path)
		}
		if depth >= maxImports {
			c.fail(im.Span, "module %q: imports are nested too deep", path)
		}
		if strings.HasPrefix(im.ImportAlias, "$") {
			v, err := c.opts.Modules.Data(path, search(im), u.place)
			c.failed(im, err)
			u.data.Set(im.ImportAlias, v)
			u.data.Set(im.ImportAlias+"::"+im.ImportAlias[1:], v)
			continue
		}
		p, place, err := c.opts.Modules.Module(path, search(im), u.place)
		c.failed(im, err)
		m := newUnit(p, false)
		m.place = place
		c.load(m, depth+1)
		c.check(m)
		m.add(p.Query.FuncDefs...)
		u.imports = append(u.imports, imported{im.ImportAlias, m})
	}
}

// check finds names that mean nothing.
func (c *compiler) check(u *unit) {
	was := c.unit
	c.unit = u
	errs := syntax.Check(u.prog, names{c})
	c.unit = was
	if len(errs) > 0 {
		panic(compileError{errs[0]})
	}
}

// failed ends the compilation when a module could not be had. An error in the
// module's own text keeps its place.
func (c *compiler) failed(im *syntax.Import, err error) {
	if err == nil {
		return
	}
	if e, ok := err.(*syntax.Error); ok {
		panic(compileError{e})
	}
	c.fail(im.Span, "%s", fmt.Sprint(err))
}

// search is the "search" of an import's metadata.
func search(im *syntax.Import) any {
	if im.Meta == nil {
		return nil
	}
	return metaOf(im.Meta).Get("search")
}
