package eval

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// What an element of an array and a short string in one take, in bytes.
const (
	itemSize = 16
	textSize = 32
)

// fallback has gojq evaluate an expression of $a to $d, whose input is $a, on
// the values, which are loaded first. It does what is rare.
func (m *mach) fallback(expr string, vs ...any) (any, error) {
	vs, err := m.deepAll(vs)
	if err != nil {
		return nil, err
	}
	return m.gojq(expr, vs...)
}

func (m *mach) deepAll(vs []any) ([]any, error) {
	out := make([]any, len(vs))
	for i, v := range vs {
		w, err := m.deep(v)
		if err != nil {
			return nil, err
		}
		out[i] = w
	}
	return out, nil
}

// gojq is fallback for values that hold nothing lazy.
func (m *mach) gojq(expr string, vs ...any) (any, error) {
	return m.run.funcs.Call(m.ctx, expr, vs...)
}

// delegated are the functions that gojq does, under their number of arguments.
// They give one value. Those of several arguments don't look at their input.
var delegated = [...]string{
	`acos acosh asin asinh atan atanh cbrt cos cosh erf erfc exp10 expm1 frexp j0 j1 lgamma log1p logb modf nearbyint rint significand
		sin sinh tan tanh tgamma y0 y1 isfinite isinfinite isnan isnormal
		implode toboolean _tobase64 _tohtml _touri gmtime localtime mktime`,
	`format strflocaltime strftime strptime`,
	`atan2 copysign drem fdim fmax fmin fmod hypot jn ldexp nextafter nexttoward remainder scalb scalbln yn`,
	`fma`,
}

// growth is how many bytes a function takes for a byte of what it is given.
var growth = map[string]int{
	"implode": 2, "_tobase64": 3, "_tohtml": 7, "_touri": 4, "format": 7,
}

// ofContainers are those that take arrays or objects. The others refuse them,
// for which they need not be loaded.
const ofContainers = " implode _tobase64 _tohtml _touri format mktime strftime strflocaltime "

// delegation gives the functions that gojq does.
func delegation() map[string]builtin {
	calls := [...]string{"", "($b)", "($b; $c)", "($b; $c; $d)"}
	table := make(map[string]builtin, 128)
	for arity, names := range delegated {
		for name := range strings.FieldsSeq(names) {
			d := &delegate{name: name, expr: name + calls[arity], blind: arity > 1, whole: strings.Contains(ofContainers, " "+name+" "), text: strings.HasPrefix(name, "_to"), growth: growth[name]}
			table[key(name, arity)] = value(d.call)
		}
	}
	table["gamma/0"] = table["lgamma/0"] // jq's name for it; gojq has another function there
	return table
}

type delegate struct {
	name   string
	expr   string // the call of it
	blind  bool   // it does not look at its input
	whole  bool   // it takes arrays or objects
	text   bool   // as their text
	growth int
}

func (d *delegate) call(m *mach, in any, args []any) (any, error) {
	if d.blind {
		in = nil
	}
	vs := append([]any{in}, args...)
	size := 0
	for i, v := range vs {
		v, err := m.force(v)
		if err != nil {
			return nil, err
		}
		if !scalar(v) && !d.whole {
			left := mostShown
			vs[i] = shown(v, &left)
			continue
		}
		if d.text && !scalar(v) { // gojq would sort the keys
			if v, err = m.marshal(v); err != nil {
				return nil, err
			}
		}
		v, n, err := m.extent(v)
		if err != nil {
			return nil, err
		}
		vs[i], size = v, size+n
	}
	if err := m.alloc(size * max(d.growth, 1)); err != nil {
		return nil, err
	}
	if xs, ok := vs[0].([]any); ok && d.name == "implode" {
		if text, ok := imploded(xs); ok {
			return text, nil
		}
		if slices.ContainsFunc(xs, isNaN) {
			return nil, notImploded(xs)
		}
	}
	v, err := m.gojq(d.expr, vs...)
	if asWords(err) {
		return nil, refused(d.name, vs, d.blind)
	}
	return v, err
}

// imploded returns the text made of code points; ok is false where an element is
// no valid code point, and gojq's implode decides. For a short text, a call of
// gojq costs some ten times as much.
func imploded(xs []any) (text string, ok bool) {
	out := make([]byte, 0, len(xs))
	for _, x := range xs {
		n, isInt := x.(int)
		if !isInt || n < 0 || n > utf8.MaxRune || !utf8.ValidRune(rune(n)) {
			return "", false
		}
		out = utf8.AppendRune(out, rune(n))
	}
	return string(out), true
}
