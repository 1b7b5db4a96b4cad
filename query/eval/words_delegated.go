package eval

import (
	"strconv"

	"github.com/meshq/kubectl-meshq/query/syntax/native"
)

// refused says in jq's words why a function that gojq does gave nothing for
// its values, of which the first is the input, unless there are arguments that
// it works on alone.
func refused(name string, vs []any, blind bool) error {
	in := vs[0]
	kind := kindOf(in)
	switch name {
	case "implode":
		return notImploded(in)
	case "toboolean":
		return cannot(in, "cannot be parsed as a boolean")
	case "gmtime", "localtime":
		return plainError(name + "() requires numeric inputs")
	case "mktime":
		if kind != "array" {
			return plainError("mktime requires array inputs")
		}
		return plainError("mktime requires parsed datetime inputs")
	case "strftime", "strflocaltime":
		if (kind == "array" || kind == "number") && kindOf(vs[1]) != "string" {
			return plainError(name + "/1 requires a string format")
		}
		return plainError(name + "/1 requires parsed datetime inputs")
	case "strptime":
		format, ok := vs[1].(string)
		if date, isText := in.(string); ok && isText {
			return plainError(`date "` + date + `" does not match format "` + format + `"`)
		}
		return plainError("strptime/1 requires string inputs and arguments")
	case "format":
		if format, ok := vs[1].(string); ok {
			return plainError(format + " is not a valid format")
		}
		return cannot(vs[1], "is not a valid format")
	}
	if blind {
		vs = vs[1:]
	}
	for _, v := range vs {
		if kindOf(v) != "number" {
			return cannot(v, ofNumbers)
		}
	}
	return cannot(in, ofNumbers)
}

// notImploded names the element that is no character's number.
func notImploded(in any) error {
	xs, ok := in.([]any)
	if !ok {
		return plainError("implode input must be an array")
	}
	for _, x := range xs {
		if _, ok := native.ToInt(x); !ok || isNaN(x) {
			return cannot(x, "can't be imploded, unicode codepoint needs to be numeric")
		}
	}
	return plainError("implode input of " + strconv.Itoa(len(xs)) + " elements is too large")
}
