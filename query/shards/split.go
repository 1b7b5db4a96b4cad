package shards

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/query/library"
	"github.com/meshq/kubectl-meshq/query/syntax"
)

// A Plan is a query in two parts.
type Plan struct {
	// PerProxy is evaluated with each proxy as its input. Its results are the
	// proxy's elements.
	PerProxy string

	// Finish is evaluated once. Its input is the array of the elements of all
	// proxies, in the order of the proxies in the document. Its results are those
	// of the query.
	//
	// A proxy whose evaluation failed has elements up to the error. A caller that
	// has such a proxy must pass only the elements before that error, and report
	// it, unless Finish ends before it reads so far.
	Finish string
}

// A RefusedError reports a query that can't be split, and what to write instead.
type RefusedError struct{ Msg string }

// Error returns the reason.
func (e *RefusedError) Error() string { return e.Msg }

func refuse(format string, args ...any) error { return &RefusedError{fmt.Sprintf(format, args...)} }

const forms = "write .proxies[] | f, [.proxies[] | f] | g, or first, limit, any, all, isempty or add over .proxies[] | f"

// Split splits a query whose input is the document. It accepts these forms, where f
// has a proxy as its input and g an array of elements:
//
//	.proxies[] | f
//	[.proxies[] | f] | g, .proxies | map(f) | g
//	first(.proxies[] | f), limit(n; .proxies[] | f) with a number n, and any, all, isempty and add likewise
//
// If g begins with length, unique, unique_by, min, min_by, max, max_by, any or all,
// each proxy has at most a few elements. Otherwise each result of f is an element.
//
// The error is a [*syntax.Error] if the query isn't valid, and else a
// [*RefusedError]. Refused are queries that read anything but proxies, and those
// whose second part uses the document's functions: its input are plain values.
func Split(src string) (*Plan, error) {
	p, err := syntax.Parse("", src)
	if err != nil {
		return nil, err
	}
	q := p.Query
	if q.Meta != nil || len(q.Imports) > 0 {
		return nil, refuse("a query with modules is not split: define its functions in the query")
	}
	names, err := newNames()
	if err != nil {
		return nil, err
	}
	s := &splitter{defs: q.FuncDefs}
	body := *q
	body.FuncDefs = nil
	plan, err := s.split(stages(&body))
	if err != nil {
		return nil, err
	}
	return plan, names.check(plan)
}

// A splitter splits one query.
type splitter struct{ defs []*syntax.FuncDef }

func (s *splitter) split(all []*syntax.Query) (*Plan, error) {
	first, rest := all[0], all[1:]
	if f, ok := perProxy(all); ok {
		return s.elements(format(f), format(f), ".[]")
	}
	t := first.Term
	switch {
	case t == nil || len(t.SuffixList) > 0 && !isProxies(t):
		return nil, refuse("the query doesn't begin with the proxies: %s", forms)
	case t.Type == syntax.TermArray && t.Array.Query != nil:
		if f, ok := perProxy(stages(t.Array.Query)); ok {
			return s.reduce(format(f), rest)
		}
	case isProxies(t) && len(rest) > 0:
		if c := call(rest[0]); c != nil && c.Name == "map" && len(c.Args) == 1 && len(s.defs) == 0 {
			return s.reduce(syntax.Format(c.Args[0]), rest[1:])
		}
	case t.Type == syntax.TermFunc && len(s.defs) == 0:
		return s.generator(t.Func, rest)
	}
	return nil, refuse("the query can't be evaluated for each proxy: %s", forms)
}

// reduce returns the plan of [.proxies[] | f] | g. Definitions of the query's own
// may replace the functions by which an array is reduced early, so then it is not.
func (s *splitter) reduce(f string, g []*syntax.Query) (*Plan, error) {
	if len(g) == 0 {
		return s.elements(f, f, ".")
	}
	finish := format(g)
	c := call(g[0])
	if c == nil || len(s.defs) > 0 {
		return s.elements(f, f, finish)
	}
	text := syntax.Format(g[0])
	switch fmt.Sprintf("%s/%d", c.Name, len(c.Args)) {
	case "length/0":
		return s.plan("["+f+"] | length", format(append([]*syntax.Query{sum}, g[1:]...)))
	case "any/0", "all/0":
		return s.plan("["+f+"] | "+text, finish)
	case "any/1", "all/1":
		return s.plan("["+f+"] | "+text, format(append([]*syntax.Query{called(c.Name)}, g[1:]...)))
	case "unique/0", "unique_by/1":
		return s.elements(f, "["+f+"] | "+text+" | .[]", finish)
	case "min/0", "min_by/1", "max/0", "max_by/1":
		return s.elements(f, "["+f+"] | if length == 0 then empty else "+text+" end", finish)
	}
	return s.elements(f, f, finish)
}

// generator returns the plan of a call with a query over the proxies as its last
// argument or, for any and all, as its first of two.
func (s *splitter) generator(c *syntax.Func, rest []*syntax.Query) (*Plan, error) {
	source := 0
	if c.Name == "limit" {
		source = 1
	}
	if source >= len(c.Args) {
		return nil, refuse("%s doesn't read the proxies: %s", c.Name, forms)
	}
	stagesOfSource, ok := perProxy(stages(c.Args[source]))
	if !ok {
		return nil, refuse("%s doesn't read .proxies[]: %s", c.Name, forms)
	}
	f := format(stagesOfSource)
	after := ""
	if len(rest) > 0 {
		after = " | " + format(rest)
	}
	switch fmt.Sprintf("%s/%d", c.Name, len(c.Args)) {
	case "first/1":
		return s.elements(f, "first("+f+")", "first(.[])"+after)
	case "limit/2":
		n := c.Args[0].Term
		if n == nil || n.Type != syntax.TermNumber || len(n.SuffixList) > 0 {
			return nil, refuse("limit: the count is no number like 10")
		}
		return s.elements(f, "limit("+n.Number+"; "+f+")", "limit("+n.Number+"; .[])"+after)
	case "any/2", "all/2":
		return s.plan(c.Name+"("+f+"; "+syntax.Format(c.Args[1])+")", c.Name+after)
	case "isempty/1":
		return s.plan("isempty("+f+")", "all"+after)
	case "add/1":
		return s.elements(f, f, "add"+after)
	}
	return nil, refuse("%s over the proxies can't be split: %s", c.Name, forms)
}

// elements returns a plan whose elements are results of f. They travel, so f may not
// be all of a proxy.
func (s *splitter) elements(f, perProxy, finish string) (*Plan, error) {
	if f == "." {
		return nil, refuse("all of every proxy would be sent: name what is needed, like .proxies[] | {id, version}")
	}
	return s.plan(perProxy, finish)
}

// plan returns the plan, each part with the definitions of the query that it uses.
func (s *splitter) plan(perProxy, finish string) (*Plan, error) {
	first, err := s.define(perProxy)
	if err != nil {
		return nil, err
	}
	last, err := s.define(finish)
	return &Plan{PerProxy: first, Finish: last}, err
}

// define returns a text after the definitions that it calls, directly or through
// each other.
func (s *splitter) define(text string) (string, error) {
	p, err := syntax.Parse("", text)
	if err != nil {
		return "", err
	}
	used := map[string]bool{}
	for f := range p.Calls() {
		used[f.Name] = true
	}
	var defs []*syntax.FuncDef
	for _, def := range slices.Backward(s.defs) { // a definition can only call itself and those before it
		if !used[def.Name] {
			continue
		}
		defs = append([]*syntax.FuncDef{def}, defs...)
		for f := range (&syntax.Program{Query: def.Body}).Calls() {
			used[f.Name] = true
		}
	}
	if len(defs) == 0 {
		return text, nil
	}
	return strings.TrimSuffix(syntax.Format(&syntax.Query{FuncDefs: defs, Term: identity.Term}), ".") + text, nil
}

// stages returns the parts of a pipe. A part that binds variables or defines
// functions contains what follows it.
func stages(q *syntax.Query) []*syntax.Query {
	if q.Op != syntax.OpPipe || len(q.Patterns) > 0 || len(q.FuncDefs) > 0 {
		if q.Term != nil && q.Term.Type == syntax.TermQuery && len(q.Term.SuffixList) == 0 && len(q.FuncDefs) == 0 {
			return stages(q.Term.Query) // parentheses, or a method call
		}
		return []*syntax.Query{q}
	}
	return append(stages(q.Left), stages(q.Right)...)
}

// perProxy returns f as stages if the stages are those of .proxies[] | f. It accepts
// .proxies[].x too.
func perProxy(all []*syntax.Query) ([]*syntax.Query, bool) {
	t := all[0].Term
	if t == nil || len(all[0].FuncDefs) > 0 || !isProxies(t) || len(t.SuffixList) == 0 || !t.SuffixList[0].Iter {
		return nil, false
	}
	rest := t.SuffixList[1:]
	if len(rest) == 0 {
		if len(all) == 1 {
			return []*syntax.Query{identity}, true
		}
		return all[1:], true
	}
	if rest[0].Optional {
		return nil, false
	}
	inner := &syntax.Term{Type: syntax.TermIdentity, SuffixList: rest}
	if rest[0].Index != nil {
		inner = &syntax.Term{Type: syntax.TermIndex, Index: rest[0].Index, SuffixList: rest[1:]}
	}
	return append([]*syntax.Query{{Term: inner}}, all[1:]...), true
}

// isProxies reports whether a term begins with .proxies.
func isProxies(t *syntax.Term) bool {
	return t.Type == syntax.TermIndex && t.Index.Name == "proxies"
}

// call returns the function that a stage calls, or nil.
func call(q *syntax.Query) *syntax.Func {
	if q.Term == nil || q.Term.Type != syntax.TermFunc || len(q.Term.SuffixList) > 0 || len(q.FuncDefs) > 0 || strings.HasPrefix(q.Term.Func.Name, "$") {
		return nil
	}
	return q.Term.Func
}

var (
	identity = &syntax.Query{Term: &syntax.Term{Type: syntax.TermIdentity}}
	sum      = parsed("add // 0")
)

func called(name string) *syntax.Query {
	return &syntax.Query{Term: &syntax.Term{Type: syntax.TermFunc, Func: &syntax.Func{Name: name}}}
}

// parsed returns a query in parentheses.
func parsed(src string) *syntax.Query {
	p, err := syntax.Parse("", src)
	if err != nil {
		panic(err) // src is a constant
	}
	return &syntax.Query{Term: &syntax.Term{Type: syntax.TermQuery, Query: p.Query}}
}

// format returns the source text of stages.
func format(all []*syntax.Query) string {
	q := all[len(all)-1]
	for _, left := range slices.Backward(all[:len(all)-1]) {
		q = &syntax.Query{Op: syntax.OpPipe, Left: left, Right: q}
	}
	return syntax.Format(q)
}

// names are the functions that a part of a split query may not call.
type names struct {
	ours   map[string]bool // the functions of the library, which need objects of the document
	meshes map[string]bool // those of them that read the whole document
}

// effects are the functions that act on the whole run, or read its standard input.
var effects = []string{"input", "inputs", "input_line_number", "debug", "stderr", "halt", "halt_error", "$__loc__", "$__prog_args"}

func newNames() (*names, error) {
	programs, err := library.Programs()
	if err != nil {
		return nil, err
	}
	n := &names{ours: map[string]bool{}, meshes: map[string]bool{"_match": true, "_trace": true, "_traceFrom": true, "_workload": true}}
	calls := map[string][]string{}
	for _, p := range programs {
		for _, def := range p.Query.FuncDefs {
			n.ours[def.Name] = true
			for f := range (&syntax.Program{Query: def.Body}).Calls() {
				calls[def.Name] = append(calls[def.Name], f.Name)
			}
		}
	}
	for grown := true; grown; {
		grown = false
		for name, all := range calls {
			if !n.meshes[name] && slices.ContainsFunc(all, func(c string) bool { return n.meshes[c] }) {
				n.meshes[name], grown = true, true
			}
		}
	}
	return n, nil
}

// check returns an error if a part of the plan calls a function that gives another
// result there than in one process.
func (n *names) check(plan *Plan) error {
	for _, part := range []struct {
		text    string
		refused func(string) bool
		why     string
	}{
		{plan.PerProxy, func(f string) bool { return n.meshes[f] }, "reads more of the mesh than one proxy"},
		{plan.Finish, func(f string) bool { return n.ours[f] || strings.HasPrefix(f, "_") }, "is no function of jq: call it for each proxy, before the results are collected"},
		{plan.PerProxy + " | " + plan.Finish, func(f string) bool { return slices.Contains(effects, f) }, "acts on the whole run"},
	} {
		p, err := syntax.Parse("", part.text)
		if err != nil {
			return err
		}
		for f := range p.Calls() {
			if part.refused(f.Name) {
				return refuse("%s %s", f.Name, part.why)
			}
		}
	}
	return nil
}
