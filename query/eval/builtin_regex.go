package eval

import (
	"strings"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// regexBuiltins match regular expressions.
func regexBuiltins() map[string]builtin {
	table := map[string]builtin{
		"split/2": func(c *compiler, f *syntax.Func, s *scope) *node { return collect(regex(noPair, splitUp)(c, f, s)) },
		"sub/2":   substitution(""), "sub/3": substitution(""),
		"gsub/2": substitution("g"), "gsub/3": substitution("g"),
	}
	for arity := 1; arity <= 2; arity++ {
		table[key("test", arity)] = test
		for name, do := range map[string]matching{"match": matched, "capture": captured} {
			table[key(name, arity)] = regex(expression, do)
		}
		for name, do := range map[string]matching{"scan": scanned, "splits": splitUp} {
			table[key(name, arity)] = regex(noPair, do)
		}
	}
	return table
}

// matching does something with the matches of an expression in a string.
type matching func(m *mach, ps *patterns, in pv, re, flags any, y yield) error

// regex makes a function of an expression and flags, which read gives.
func regex(read func(args []any) (re, flags any, err error), do matching) builtin {
	return func(c *compiler, f *syntax.Func, s *scope) *node {
		ps := &patterns{}
		return c.bound(f, s, func(m *mach, in pv, args []any, y yield) error {
			args, err := m.deepAll(args)
			if err != nil {
				return err
			}
			re, flags, err := read(args)
			if err != nil {
				return err
			}
			return do(m, ps, in, re, flags, y)
		})
	}
}

// expression gives an expression and its flags. Alone it may be an array of
// both.
func expression(args []any) (re, flags any, err error) {
	pair, ok := args[0].([]any)
	if _, text := args[0].(string); len(args) == 1 && !text && len(pair) == 0 {
		return nil, nil, plainError(kindOf(args[0]) + " not a string or array")
	}
	if !ok || len(args) > 1 {
		return noPair(args)
	}
	if len(pair) > 1 {
		flags = pair[1]
	}
	return pair[0], flags, nil
}

func noPair(args []any) (re, flags any, err error) {
	if len(args) > 1 {
		return args[0], args[1], nil
	}
	return args[0], nil, nil
}

// pattern gives the string and the compiled expression.
func (m *mach) pattern(name string, ps *patterns, v, re, flags any) (string, *pattern, error) {
	v, err := m.force(v)
	if err != nil {
		return "", nil, err
	}
	s, ok1 := v.(string)
	source, ok2 := re.(string)
	marks, ok3 := flags.(string)
	switch {
	case !ok1:
		return "", nil, cannot(v, "cannot be matched, as it is not a string")
	case !ok2:
		return "", nil, cannot(re, "is not a string")
	case !ok3 && flags != nil:
		return "", nil, cannot(flags, "is not a string")
	}
	p, err := ps.get(m, source, marks)
	return s, p, err
}

// found gives the matches in a string.
func (m *mach) found(ps *patterns, v, re, flags any) (string, *pattern, [][]int, error) {
	s, p, err := m.pattern("match", ps, v, re, flags)
	if err != nil {
		return "", nil, nil, err
	}
	all, err := p.find(m, s)
	return s, p, all, err
}

// test tells whether an expression matches.
func test(c *compiler, f *syntax.Func, s *scope) *node {
	ps := &patterns{}
	return c.boundValue(f, s, func(m *mach, in any, args []any) (any, error) {
		args, err := m.deepAll(args)
		if err != nil {
			return nil, err
		}
		re, flags, err := expression(args)
		if err != nil {
			return nil, err
		}
		s, p, err := m.pattern("test", ps, in, re, flags)
		if err != nil {
			return nil, err
		}
		if len(s) < sizeAside {
			return p.matches(s), nil
		}
		ok, err := aside(m, len(s), func() bool { return p.matches(s) })
		return ok, err
	})
}

func matched(m *mach, ps *patterns, in pv, re, flags any, y yield) error {
	s, p, all, err := m.found(ps, in.v, re, flags)
	if err != nil {
		return err
	}
	r := runes{s: s}
	for _, x := range all {
		if err := m.tick(); err != nil {
			return err
		}
		if err := y(in.val(p.describe(&r, x))); err != nil {
			return err
		}
	}
	return nil
}

// describe gives a match as jq shows it.
func (p *pattern) describe(r *runes, x []int) *object.Object {
	offset := r.at(x[0])
	captures := make([]any, len(x)/2-1)
	for i, name := range p.re.SubexpNames()[1:] {
		from, to := x[2*i+2], x[2*i+3]
		var group, text any
		if name != "" {
			group = name
		}
		offset, length := -1, 0
		if from >= 0 {
			offset, length, text = r.at(from), r.at(to)-r.at(from), r.s[from:to]
		}
		if length == 0 { // in jq's order, of which there are two
			captures[i] = object.Of("offset", offset, "string", text, "length", length, "name", group)
		} else {
			captures[i] = object.Of("offset", offset, "length", length, "string", text, "name", group)
		}
	}
	return object.Of("offset", offset, "length", r.at(x[1])-offset, "string", r.s[x[0]:x[1]], "captures", captures)
}

// named gives the text of the groups that have a name.
func (p *pattern) named(s string, x []int) *object.Object {
	out := object.New(0)
	for i, name := range p.re.SubexpNames() {
		if i == 0 || name == "" {
			continue
		}
		out.Set(name, nil)
		if x[2*i] >= 0 {
			out.Set(name, s[x[2*i]:x[2*i+1]])
		}
	}
	return out
}

func captured(m *mach, ps *patterns, in pv, re, flags any, y yield) error {
	s, p, all, err := m.found(ps, in.v, re, flags)
	if err != nil {
		return err
	}
	for _, x := range all {
		if err := m.tick(); err != nil {
			return err
		}
		if err := y(in.val(p.named(s, x))); err != nil {
			return err
		}
	}
	return nil
}

// scanned gives the text of each match, or of its groups if it has any.
func scanned(m *mach, ps *patterns, in pv, re, flags any, y yield) error {
	flags, err := add(m, flags, "g")
	if err != nil {
		return err
	}
	s, _, all, err := m.found(ps, in.v, re, flags)
	if err != nil {
		return err
	}
	for _, x := range all {
		if err := m.tick(); err != nil {
			return err
		}
		if err := y(in.val(groupsOf(s, x))); err != nil {
			return err
		}
	}
	return nil
}

func groupsOf(s string, x []int) any {
	if len(x) == 2 {
		return s[x[0]:x[1]]
	}
	out := make([]any, len(x)/2-1)
	for i := range out {
		if from, to := x[2*i+2], x[2*i+3]; from >= 0 {
			out[i] = s[from:to]
		}
	}
	return out
}

// splitUp gives what is between the matches: parts of the input, with a path.
func splitUp(m *mach, ps *patterns, in pv, re, flags any, y yield) error {
	flags, err := add(m, flags, "g")
	if err != nil {
		return err
	}
	s, _, all, err := m.found(ps, in.v, re, flags)
	if err != nil {
		return err
	}
	if err := m.checkPath(in, accessed(nil)); err != nil {
		return err
	}
	r, next := runes{s: s}, 0
	var start any
	for _, x := range append(all, nil) {
		if err := m.tick(); err != nil {
			return err
		}
		part := pv{s[next:], nil}
		if x != nil {
			part.v = s[next:max(next, x[0])]
		}
		if in.p != nil {
			var end any
			if x != nil {
				end = r.at(x[0])
			}
			part = child(in, object.Of("start", start, "end", end), part.v)
		}
		if err := y(part); err != nil {
			return err
		}
		if x != nil {
			next = x[1]
			start = r.at(next)
		}
	}
	return nil
}

// substitution makes sub, and gsub with the flag g. Where the replacement gives
// several results there are as many strings: the first of them has the first
// replacement of every match, and so on.
func substitution(flag string) builtin {
	return func(c *compiler, f *syntax.Func, s *scope) *node {
		ps := &patterns{}
		values := &syntax.Func{Span: f.Span, Name: f.Name, Args: []*syntax.Query{f.Args[0]}}
		if len(f.Args) > 2 {
			values.Args = append(values.Args, f.Args[2])
		}
		replacement := c.query(f.Args[1], s)
		return c.boundIn(values, s, func(m *mach, e *env, in pv, args []any, y yield) error {
			var flags any
			if len(args) > 1 {
				flags = args[1]
			}
			if flag != "" {
				var err error
				if flags, err = add(m, flags, flag); err != nil {
					return err
				}
			}
			return m.substitute(ps, e, in, args[0], flags, replacement, y)
		})
	}
}

func (m *mach) substitute(ps *patterns, e *env, in pv, re, flags any, replacement *node, y yield) error {
	s, p, all, err := m.found(ps, in.v, re, flags)
	if err != nil {
		return err
	}
	var out []*strings.Builder
	next := 0
	for _, x := range all {
		if err := m.tick(); err != nil {
			return err
		}
		i := 0
		err := replacement.run(m, e, pv{p.named(s, x), nil}, func(v pv) error {
			text, err := add(m, s[min(next, x[0]):x[0]], v.v)
			if err != nil {
				return err
			}
			if i == len(out) {
				out = append(out, &strings.Builder{})
			}
			i++
			return m.write(out[i-1], text.(string))
		})
		if err != nil {
			return err
		}
		next = x[1]
	}
	if len(out) == 0 {
		return y(in.val(s))
	}
	for _, b := range out {
		if err := m.write(b, s[next:]); err != nil {
			return err
		}
		if err := y(in.val(b.String())); err != nil {
			return err
		}
	}
	return nil
}
