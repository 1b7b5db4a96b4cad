package builtin

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/syntax/native"
	"github.com/meshq/kubectl-meshq/query/values"
)

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
func delegation() map[string]values.Func {
	calls := [...]string{"", "($b)", "($b; $c)", "($b; $c; $d)"}
	table := make(map[string]values.Func, 128)
	for arity, names := range delegated {
		for name := range strings.FieldsSeq(names) {
			d := &delegate{name: name, expr: name + calls[arity], blind: arity > 1, whole: strings.Contains(ofContainers, " "+name+" "), text: strings.HasPrefix(name, "_to"), growth: growth[name]}
			table[syntax.Key(name, arity)] = d.call
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

func (d *delegate) call(m *values.Task, in any, args []any) (any, error) {
	if d.blind {
		in = nil
	}
	vs := append([]any{in}, args...)
	size := 0
	for i, v := range vs {
		v, err := m.Force(v)
		if err != nil {
			return nil, err
		}
		if !values.IsScalar(v) && !d.whole {
			vs[i] = values.Shown(v)
			continue
		}
		if d.text && !values.IsScalar(v) { // gojq would sort the keys
			if v, err = m.Marshal(v); err != nil {
				return nil, err
			}
		}
		v, n, err := m.Extent(v)
		if err != nil {
			return nil, err
		}
		vs[i], size = v, size+n
	}
	if err := m.Alloc(size * max(d.growth, 1)); err != nil {
		return nil, err
	}
	if xs, ok := vs[0].([]any); ok && d.name == "implode" {
		if text, ok := imploded(xs); ok {
			return text, nil
		}
		if slices.ContainsFunc(xs, values.IsNaN) {
			return nil, notImploded(xs)
		}
	}
	v, err := m.GojqPlain(d.expr, vs...)
	if values.IsGojqError(err) {
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

// refused says in jq's words why a function that gojq does gave nothing for
// its values, of which the first is the input, unless there are arguments that
// it works on alone.
func refused(name string, vs []any, blind bool) error {
	in := vs[0]
	kind := values.KnownType(in)
	switch name {
	case "implode":
		return notImploded(in)
	case "toboolean":
		return values.Cannot(in, "cannot be parsed as a boolean")
	case "gmtime", "localtime":
		return values.TextError(name + "() requires numeric inputs")
	case "mktime":
		if kind != "array" {
			return values.TextError("mktime requires array inputs")
		}
		return values.TextError("mktime requires parsed datetime inputs")
	case "strftime", "strflocaltime":
		if (kind == "array" || kind == "number") && values.KnownType(vs[1]) != "string" {
			return values.TextError(name + "/1 requires a string format")
		}
		return values.TextError(name + "/1 requires parsed datetime inputs")
	case "strptime":
		format, ok := vs[1].(string)
		if date, isText := in.(string); ok && isText {
			return values.TextError(`date "` + date + `" does not match format "` + format + `"`)
		}
		return values.TextError("strptime/1 requires string inputs and arguments")
	case "format":
		if format, ok := vs[1].(string); ok {
			return values.TextError(format + " is not a valid format")
		}
		return values.Cannot(vs[1], "is not a valid format")
	}
	if blind {
		vs = vs[1:]
	}
	for _, v := range vs {
		if values.KnownType(v) != "number" {
			return values.Cannot(v, values.NumberRequired)
		}
	}
	return values.Cannot(in, values.NumberRequired)
}

// notImploded names the element that is no character's number.
func notImploded(in any) error {
	xs, ok := in.([]any)
	if !ok {
		return values.TextError("implode input must be an array")
	}
	for _, x := range xs {
		if _, ok := native.ToInt(x); !ok || values.IsNaN(x) {
			return values.Cannot(x, "can't be imploded, unicode codepoint needs to be numeric")
		}
	}
	return values.TextError("implode input of " + strconv.Itoa(len(xs)) + " elements is too large")
}
