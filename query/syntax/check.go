package syntax

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxErrors is the maximum number of errors that one check reports.
const maxErrors = 10

// Names describes the functions and variables that a program can use in addition to those
// that it defines. If an implementation also has a method Vars() []string, error messages
// suggest these variables instead of an undefined one.
type Names interface {
	// Has reports whether a function exists. The key is "name/arity" or
	// "module::name/arity".
	Has(key string) bool
	// Keys returns the keys of all functions for which Has returns true, in any order.
	// Error messages suggest them instead of undefined functions.
	Keys() []string
	// Var reports whether a variable exists. The name begins with $.
	Var(name string) bool
}

// Check reports calls of undefined functions, and uses of undefined variables and labels.
// Each name must be defined by the program itself or by n. Check returns at most ten
// errors, in the order of the source. Check doesn't read modules, so n must contain the
// functions of imported and included modules. If n contains no function of an imported
// module, Check accepts any call of that module.
//
// $ENV, $__loc__ and env are part of the language and always defined. A module, which has
// no query, is valid.
func Check(p *Program, n Names) []*Error {
	c := &checker{program: p, given: n, scope: newScope()}
	for _, im := range p.Query.Imports {
		if data, ok := strings.CutPrefix(im.ImportAlias, "$"); ok {
			c.scope.add("$" + data)
			c.scope.add("$" + data + "::" + data)
		}
	}
	c.query(p.Query)
	slices.SortStableFunc(c.errors, func(a, b *Error) int { return cmp.Compare(a.Start, b.Start) })
	return c.errors
}

type checker struct {
	program *Program
	given   Names
	scope   *scope
	errors  []*Error
	dashed  int // position of the last field with a dash (such as .a-b) that was reported
}

func (c *checker) report(at Span, format string, args ...any) {
	c.errors = append(c.errors, &Error{Span: at, File: c.program.File, Src: c.program.Src, Msg: fmt.Sprintf(format, args...)})
}

// full reports whether the check has already found the maximum number of errors.
func (c *checker) full() bool { return len(c.errors) >= maxErrors }

// Key returns the key of a function, in the form "name/arity".
func Key(name string, arity int) string { return name + "/" + strconv.Itoa(arity) }

// definition adds a function to the scope and checks its body. The function is visible in
// its own body, because it may call itself.
func (c *checker) definition(fd *FuncDef) {
	c.scope.add(Key(fd.Name, len(fd.Args)))
	mark := c.scope.mark()
	for _, arg := range fd.Args {
		if name, ok := strings.CutPrefix(arg, "$"); ok {
			c.scope.add(arg)
			arg = name
		}
		c.scope.add(Key(arg, 0))
	}
	c.query(fd.Body)
	c.scope.release(mark)
}

// query checks a query. It follows the right sides of pipes in a loop instead of by
// recursion, because a long pipe is nested deeply on the right. Names that the left side
// of a pipe defines are visible on the right.
func (c *checker) query(q *Query) {
	mark := c.scope.mark()
	for ; q != nil; q = q.Right {
		for _, fd := range q.FuncDefs {
			c.definition(fd)
		}
		if q.Term != nil {
			c.term(q.Term)
		}
		c.query(q.Left)
		c.bind(q.Patterns)
	}
	c.scope.release(mark)
}

// bind adds the variables of patterns that are alternatives (joined by ?//). The
// variables of all patterns are visible everywhere: those of a pattern that doesn't match
// are null.
func (c *checker) bind(patterns []*Pattern) {
	if len(patterns) > 1 {
		for _, p := range patterns {
			c.pattern(p, false)
		}
	}
	for _, p := range patterns {
		c.pattern(p, true)
	}
}

// pattern adds the variables of a pattern to the scope, in their order. If checkKeys is
// true, it also checks the keys in the pattern. A key can use the variables before it.
func (c *checker) pattern(p *Pattern, checkKeys bool) {
	if p.Name != "" {
		c.scope.add(p.Name)
	}
	for _, item := range p.Array {
		c.pattern(item, checkKeys)
	}
	for _, member := range p.Object {
		if checkKeys && member.KeyString != nil {
			member.KeyString.children(c.node)
		}
		if checkKeys {
			c.query(member.KeyQuery)
		}
		if strings.HasPrefix(member.Key, "$") {
			c.scope.add(member.Key)
		}
		if member.Val != nil {
			c.pattern(member.Val, checkKeys)
		}
	}
}

func (c *checker) term(t *Term) {
	switch t.Type {
	case TermReduce:
		c.fold(t.Reduce.Query, t.Reduce.Patterns, t.Reduce.Start, t.Reduce.Update, nil)
	case TermForeach:
		c.fold(t.Foreach.Query, t.Foreach.Patterns, t.Foreach.Start, t.Foreach.Update, t.Foreach.Extract)
	case TermLabel:
		mark := c.scope.mark()
		c.scope.add("break " + t.Label.Ident)
		c.query(t.Label.Body)
		c.scope.release(mark)
	case TermBreak:
		c.label(t)
	default:
		t.base(c.node)
	}
	for _, s := range t.SuffixList {
		s.children(c.node)
	}
}

// node checks one part of the tree. Afterwards the scope is the same as before.
func (c *checker) node(n node, _ int) {
	switch n := n.(type) {
	case *Query:
		c.query(n)
	case *Term:
		c.term(n)
	case *Func:
		c.call(n)
	case *ObjectKeyVal:
		if strings.HasPrefix(n.Key, "$") {
			c.variable(n.Key, Span{n.Start, n.Start + len(n.Key)})
		}
		n.children(c.node)
	default:
		n.children(c.node)
	}
}

// fold checks a reduce or a foreach. Its start expression can't use the variables of its
// patterns.
func (c *checker) fold(source *Query, patterns []*Pattern, start, update, extract *Query) {
	c.query(source)
	c.query(start)
	mark := c.scope.mark()
	c.bind(patterns)
	c.query(update)
	c.query(extract)
	c.scope.release(mark)
}

// scope is the set of names that are visible at a position in the tree: functions "f/1",
// variables "$x" and labels "break $x". The checker adds names on the way down the tree
// and removes them on the way up.
type scope struct {
	count map[string]int
	names []string // all visible names, in the order in which they were added
}

func newScope() *scope { return &scope{count: map[string]int{}} }

func (s *scope) has(name string) bool { return s.count[name] > 0 }

func (s *scope) add(name string) {
	s.count[name]++
	s.names = append(s.names, name)
}

// mark returns the current size of the scope. A later call of release with that size
// removes the names that were added in between.
func (s *scope) mark() int { return len(s.names) }

func (s *scope) release(mark int) {
	for _, name := range s.names[mark:] {
		if s.count[name]--; s.count[name] == 0 {
			delete(s.count, name)
		}
	}
	s.names = s.names[:mark]
}
