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

// delegated lists the functions that the gojq library computes, by their number of
// arguments. Each function returns one value. Functions with two or more arguments ignore
// their input.
var delegated = [...]string{
	`acos acosh asin asinh atan atanh cbrt cos cosh erf erfc exp10 expm1 frexp j0 j1 lgamma log1p logb modf nearbyint rint significand
		sin sinh tan tanh tgamma y0 y1 isfinite isinfinite isnan isnormal
		implode toboolean _tobase64 _tohtml _touri gmtime localtime mktime`,
	`format strflocaltime strftime strptime`,
	`atan2 copysign drem fdim fmax fmin fmod hypot jn ldexp nextafter nexttoward remainder scalb scalbln yn`,
	`fma`,
}

// growth is the memory that a gojq function needs, in bytes per byte of its input. It is
// given only for functions that need more than others.
var growth = map[string]int{
	"implode": 2, "_tobase64": 3, "_tohtml": 7, "_touri": 4, "format": 7,
}

// ofContainers lists the gojq functions that accept arrays or objects. All other
// functions return an error for an array or object, without loading its contents.
const ofContainers = " implode _tobase64 _tohtml _touri format mktime strftime strflocaltime "

// delegation returns the functions that the gojq library computes, with keys of the form
// "name/arity".
func delegation() map[string]values.Func {
	calls := [...]string{"", "($b)", "($b; $c)", "($b; $c; $d)"}
	table := make(map[string]values.Func, 128)
	for arity, names := range delegated {
		for name := range strings.FieldsSeq(names) {
			d := &delegate{name: name, expr: name + calls[arity], blind: arity > 1, whole: strings.Contains(ofContainers, " "+name+" "), text: strings.HasPrefix(name, "_to"), growth: growth[name]}
			table[syntax.Key(name, arity)] = d.call
		}
	}
	table["gamma/0"] = table["lgamma/0"] // jq's gamma is its lgamma; gojq's gamma is another function
	return table
}

type delegate struct {
	name   string
	expr   string // the gojq expression that calls the function
	blind  bool   // whether the function ignores its input
	whole  bool   // whether the function accepts arrays or objects
	text   bool   // whether arrays and objects are converted to JSON text before the call
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
		if d.text && !values.IsScalar(v) { // gojq itself would sort the keys of objects in the text
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

// imploded returns the string that consists of the given code points. ok is false if an
// element isn't a valid code point; the caller then uses gojq's implode. For a short
// string, gojq's implode takes about ten times as long.
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

// refused replaces an error of a gojq function by the error that jq reports. vs contains
// the function's input, followed by its arguments. blind is true if the function ignores
// its input.
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

// notImploded returns jq's error for an input of implode that isn't an array of code
// points. The error shows the first element that isn't a number; if there is none, it
// shows the input.
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
