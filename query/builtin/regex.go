package builtin

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"github.com/meshq/kubectl-meshq/query/values"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// Matching is a builtin that finds the matches of a regular expression in a string. Its
// arguments args are the expression and, optionally, flags.
type Matching = func(m *values.Task, ps *Patterns, in values.Located, args []any, y values.Yield) error

// Matchings returns, by name, the builtins that take a regular expression and flags and
// yield any number of results.
func Matchings() map[string]Matching {
	reading := func(read func(args []any) (re, flags any, err error), do func(m *values.Task, ps *Patterns, in values.Located, re, flags any, y values.Yield) error) Matching {
		return func(m *values.Task, ps *Patterns, in values.Located, args []any, y values.Yield) error {
			args, err := m.DeepAll(args)
			if err != nil {
				return err
			}
			re, flags, err := read(args)
			if err != nil {
				return err
			}
			return do(m, ps, in, re, flags, y)
		}
	}
	return map[string]Matching{
		"match": reading(expression, matched), "capture": reading(expression, captured),
		"scan": reading(noPair, scanned), "splits": reading(noPair, splitUp),
	}
}

// expression returns the regular expression and its flags from the arguments of a
// builtin. A single argument may be an array [expression, flags].
func expression(args []any) (re, flags any, err error) {
	pair, ok := args[0].([]any)
	if _, text := args[0].(string); len(args) == 1 && !text && len(pair) == 0 {
		return nil, nil, values.TextError(values.KnownType(args[0]) + " not a string or array")
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

// compiled returns the input v as a string, and the compiled regular expression.
func compiled(m *values.Task, name string, ps *Patterns, v, re, flags any) (string, *pattern, error) {
	v, err := m.Force(v)
	if err != nil {
		return "", nil, err
	}
	s, ok1 := v.(string)
	source, ok2 := re.(string)
	marks, ok3 := flags.(string)
	switch {
	case !ok1:
		return "", nil, values.Cannot(v, "cannot be matched, as it is not a string")
	case !ok2:
		return "", nil, values.Cannot(re, "is not a string")
	case !ok3 && flags != nil:
		return "", nil, values.Cannot(flags, "is not a string")
	}
	p, err := ps.Get(m, source, marks)
	return s, p, err
}

// find returns the input v as a string, the compiled regular expression, and its matches
// in the input.
func find(m *values.Task, ps *Patterns, v, re, flags any) (string, *pattern, [][]int, error) {
	s, p, err := compiled(m, "match", ps, v, re, flags)
	if err != nil {
		return "", nil, nil, err
	}
	all, err := p.find(m, s)
	return s, p, all, err
}

// Test implements the builtin test, which reports whether a regular expression matches
// the input.
func Test(m *values.Task, ps *Patterns, in any, args []any) (any, error) {
	args, err := m.DeepAll(args)
	if err != nil {
		return nil, err
	}
	re, flags, err := expression(args)
	if err != nil {
		return nil, err
	}
	s, p, err := compiled(m, "test", ps, in, re, flags)
	if err != nil {
		return nil, err
	}
	if len(s) < values.InterruptibleSize {
		return p.matches(s), nil
	}
	ok, err := values.Interruptible(m, len(s), func() bool { return p.matches(s) })
	return ok, err
}

func matched(m *values.Task, ps *Patterns, in values.Located, re, flags any, y values.Yield) error {
	s, p, all, err := find(m, ps, in.V, re, flags)
	if err != nil {
		return err
	}
	r := runes{s: s}
	for _, x := range all {
		if err := m.Tick(); err != nil {
			return err
		}
		if err := y(in.Made(p.describe(&r, x))); err != nil {
			return err
		}
	}
	return nil
}

// describe converts a match to an object, as jq's builtin match yields it.
func (p *pattern) describe(r *runes, x []int) *object.Object {
	offset := r.at(x[0])
	captures := make([]any, len(x)/2-1)
	for i, name := range p.Regexp.SubexpNames()[1:] {
		from, to := x[2*i+2], x[2*i+3]
		var group, text any
		if name != "" {
			group = name
		}
		offset, length := -1, 0
		if from >= 0 {
			offset, length, text = r.at(from), r.at(to)-r.at(from), r.s[from:to]
		}
		if length == 0 { // for an empty match, jq writes the keys in another order
			captures[i] = object.Of("offset", offset, "string", text, "length", length, "name", group)
		} else {
			captures[i] = object.Of("offset", offset, "length", length, "string", text, "name", group)
		}
	}
	return object.Of("offset", offset, "length", r.at(x[1])-offset, "string", r.s[x[0]:x[1]], "captures", captures)
}

// named returns an object with one member for each named group of a match, which contains
// the group's text.
func (p *pattern) named(s string, x []int) *object.Object {
	out := object.New(0)
	for i, name := range p.Regexp.SubexpNames() {
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

func captured(m *values.Task, ps *Patterns, in values.Located, re, flags any, y values.Yield) error {
	s, p, all, err := find(m, ps, in.V, re, flags)
	if err != nil {
		return err
	}
	for _, x := range all {
		if err := m.Tick(); err != nil {
			return err
		}
		if err := y(in.Made(p.named(s, x))); err != nil {
			return err
		}
	}
	return nil
}

// scanned implements scan, which yields the text of each match. If the expression has
// groups, it yields an array of the groups' texts instead.
func scanned(m *values.Task, ps *Patterns, in values.Located, re, flags any, y values.Yield) error {
	flags, err := values.Add(m, flags, "g")
	if err != nil {
		return err
	}
	s, _, all, err := find(m, ps, in.V, re, flags)
	if err != nil {
		return err
	}
	for _, x := range all {
		if err := m.Tick(); err != nil {
			return err
		}
		if err := y(in.Made(groupsOf(s, x))); err != nil {
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

// splitUp yields the parts of the input between the matches. Each part has a path, so it
// may be used in a path expression.
func splitUp(m *values.Task, ps *Patterns, in values.Located, re, flags any, y values.Yield) error {
	flags, err := values.Add(m, flags, "g")
	if err != nil {
		return err
	}
	s, _, all, err := find(m, ps, in.V, re, flags)
	if err != nil {
		return err
	}
	if err := values.CheckPath(m, in, values.InvalidAccess(nil)); err != nil {
		return err
	}
	r, next := runes{s: s}, 0
	var start any
	for _, x := range append(all, nil) {
		if err := m.Tick(); err != nil {
			return err
		}
		part := values.Located{V: s[next:]}
		if x != nil {
			part.V = s[next:max(next, x[0])]
		}
		if in.P != nil {
			var end any
			if x != nil {
				end = r.at(x[0])
			}
			part = values.Child(in, object.Of("start", start, "end", end), part.V)
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

// Substitute implements sub and gsub: it yields the input with the matches replaced. If
// the replacement has several results, Substitute yields one string per result: in the
// first string, each match is replaced by its first result, and so on.
func Substitute(m *values.Task, ps *Patterns, in values.Located, re, flags any, replacement func(groups any, use func(any) error) error, y values.Yield) error {
	s, p, all, err := find(m, ps, in.V, re, flags)
	if err != nil {
		return err
	}
	var out []*strings.Builder
	next := 0
	for _, x := range all {
		if err := m.Tick(); err != nil {
			return err
		}
		i := 0
		err := replacement(p.named(s, x), func(v any) error {
			text, err := values.Add(m, s[min(next, x[0]):x[0]], v)
			if err != nil {
				return err
			}
			if i == len(out) {
				out = append(out, &strings.Builder{})
			}
			i++
			return m.WriteText(out[i-1], text.(string))
		})
		if err != nil {
			return err
		}
		next = x[1]
	}
	if len(out) == 0 {
		return y(in.Made(s))
	}
	for _, b := range out {
		if err := m.WriteText(b, s[next:]); err != nil {
			return err
		}
		if err := y(in.Made(b.String())); err != nil {
			return err
		}
	}
	return nil
}

// pattern is a regular expression that was compiled with its flags.
type pattern struct {
	source, flags string
	Regexp        *regexp.Regexp
	// after matches any one character followed by the expression. It is used to find an
	// empty match directly after another match. jq reports such a match, but Go's regexp
	// skips it.
	after  *regexp.Regexp
	global bool
	full   bool // whether empty matches are reported; the flag n disables that
}

// Patterns is a cache of compiled regular expressions. Most queries use few expressions
// many times.
type Patterns struct {
	last atomic.Pointer[pattern]
	mu   sync.Mutex
	all  map[[2]string]*pattern
}

// keptPatterns is the maximum number of cached expressions. A full cache is cleared.
const keptPatterns = 256

// patternSize is the approximate size of a compiled expression, in bytes per byte of its
// source.
const patternSize = 512

// Get returns a compiled expression, from the cache if possible. It returns an error if
// the expression or the flags are invalid.
func (ps *Patterns) Get(m *values.Task, source, flags string) (*pattern, error) {
	if p := ps.last.Load(); p != nil && p.source == source && p.flags == flags {
		return p, nil
	}
	k := [2]string{source, flags}
	ps.mu.Lock()
	p := ps.all[k]
	ps.mu.Unlock()
	if p == nil {
		if err := m.Alloc(patternSize * len(source)); err != nil {
			return nil, err
		}
		var err error
		if p, err = newPattern(source, flags); err != nil {
			return nil, err
		}
		ps.mu.Lock()
		if ps.all == nil || len(ps.all) >= keptPatterns {
			ps.all = map[[2]string]*pattern{}
		}
		ps.all[k] = p
		ps.mu.Unlock()
	}
	ps.last.Store(p)
	return p, nil
}

// newPattern compiles a regular expression. It supports gojq's flags g (all matches), i
// (ignore case) and m (the dot matches newlines too). It also supports jq's flags p (the
// same as m), x (ignore blanks and comments), n (no empty matches), l (longest match) and
// s, which has no effect because gojq always behaves as with s.
func newPattern(source, flags string) (*pattern, error) {
	p := &pattern{source: source, flags: flags, full: true}
	re, longest := source, false
	for _, f := range flags {
		switch f {
		case 'g':
			p.global = true
		case 'i', 'm', 'x', 's', 'p':
		case 'n':
			p.full = false
		case 'l':
			longest = true
		default:
			return nil, values.TextError(flags + " is not a valid modifier string")
		}
	}
	if strings.ContainsRune(flags, 'x') {
		re = withoutBlanks(re)
	}
	if strings.ContainsRune(flags, 'i') {
		re = "(?i)" + re
	}
	if strings.ContainsAny(flags, "mp") {
		re = "(?s)" + re
	}
	var err error
	if p.Regexp, err = regexp.Compile(re); err != nil {
		//lint:ignore ST1005 jq's words
		return nil, fmt.Errorf("Regex failure: %q: %s", source, strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	if longest {
		p.Regexp.Longest()
	}
	if p.global {
		p.after, _ = regexp.Compile(`\A(?s:.)(?:` + re + `)`)
	}
	return p, nil
}

// withoutBlanks removes blanks and comments from a regular expression, as the flag x
// requires. It keeps them in character classes and after a backslash.
func withoutBlanks(re string) string {
	var out strings.Builder
	class := false
	for i := 0; i < len(re); i++ {
		switch b := re[i]; {
		case b == '\\' && i+1 < len(re):
			out.WriteString(re[i : i+2])
			i++
		case class:
			class = b != ']'
			out.WriteByte(b)
		case b == '[':
			class = true
			out.WriteByte(b)
		case b == '#':
			if n := strings.IndexByte(re[i:], '\n'); n >= 0 {
				i += n
			} else {
				i = len(re)
			}
		case strings.IndexByte(" \t\n\r\f\v", b) < 0:
			out.WriteByte(b)
		}
	}
	return out.String()
}

// The approximate sizes in bytes of a match, and of each group in a match.
const (
	matchSize = 96
	groupSize = 16
)

// find returns the byte offsets of all matches in s. Without the flag g, it returns only
// the first match.
func (p *pattern) find(m *values.Task, s string) ([][]int, error) {
	n := 1
	if p.global || !p.full { // limits the number of matches to those for which there is memory
		n = int(min(m.MaxMemory()/int64(matchSize+2*groupSize*(p.Regexp.NumSubexp()+1)), int64(len(s))+1)) + 1
	}
	found, err := values.Interruptible(m, len(s), func() [][]int { return p.all(s, n) })
	if err != nil {
		return nil, err
	}
	return found, m.Alloc(len(found) * (matchSize + groupSize*2*(p.Regexp.NumSubexp()+1)))
}

func (p *pattern) all(s string, n int) [][]int {
	found := p.Regexp.FindAllStringSubmatchIndex(s, n)
	if p.after != nil && p.global && len(found) > 0 {
		found = p.withEmpty(s, found)
	}
	if !p.full {
		kept := found[:0]
		for _, x := range found {
			if x[0] < x[1] {
				kept = append(kept, x)
			}
		}
		if found = kept; !p.global && len(found) > 1 {
			found = found[:1]
		}
	}
	return found
}

// withEmpty adds empty matches directly after non-empty matches to found, because Go's
// regexp skips them.
func (p *pattern) withEmpty(s string, found [][]int) [][]int {
	all := make([][]int, 0, len(found))
	for i, x := range found {
		all = append(all, x)
		if x[0] == x[1] || i+1 < len(found) && found[i+1][0] == x[1] {
			continue
		}
		_, width := utf8.DecodeLastRuneInString(s[:x[1]])
		from := x[1] - width
		y := p.after.FindStringSubmatchIndex(s[from:])
		if y == nil || y[1] != width {
			continue
		}
		for j := range y {
			if y[j] >= 0 {
				y[j] += from
			}
		}
		y[0] = x[1]
		all = append(all, y)
	}
	return all
}

// runes converts byte offsets in a string to character offsets. It is fast if the offsets
// are requested in roughly ascending order.
type runes struct {
	s     string
	byte  int
	count int
}

func (r *runes) at(i int) int {
	if i < r.byte {
		return r.count - utf8.RuneCountInString(r.s[i:r.byte])
	}
	r.count += utf8.RuneCountInString(r.s[r.byte:i])
	r.byte = i
	return r.count
}

// matches reports whether s contains a match. With the flag n, empty matches don't count.
func (p *pattern) matches(s string) bool {
	if p.full {
		return p.Regexp.MatchString(s)
	}
	return len(p.all(s, -1)) > 0
}
