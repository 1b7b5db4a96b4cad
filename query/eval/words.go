package eval

import (
	"errors"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/syntax/native"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// The errors of jq 1.8.2, in its words: a query may catch them and compare.

// A wordsError makes its text only when somebody asks for it, and without
// loading anything.
type wordsError struct{ text func() string }

func (e *wordsError) Error() string { return e.text() }

// cannot says of one value what is wrong with it: "number (1) has no keys".
func cannot(v any, says string) error {
	return &wordsError{func() string { return preview(v) + " " + says }}
}

// cannotBoth says of two values what can't be done with them.
func cannotBoth(a, b any, says string) error {
	return &wordsError{func() string { return preview(a) + " and " + preview(b) + " " + says }}
}

// cannotIndex is v[k] where there can be no such thing.
func cannotIndex(v, k any) error {
	return &wordsError{func() string { return "Cannot index " + kindOf(v) + " with " + preview(k) }}
}

// cannotIterate is v[] of what is no container.
func cannotIterate(v any) error {
	return &wordsError{func() string { return "Cannot iterate over " + preview(v) }}
}

// noKey says that a value can't be the key of an object.
func noKey(k any) error {
	return &wordsError{func() string { return "Cannot use " + preview(k) + " as object key" }}
}

// kindOf names the type of a value as far as it is known without loading it.
func kindOf(v any) string {
	v = peek(v)
	switch v.(type) {
	case *mesh.Object:
		return "object"
	case mesh.Lazy:
		return string(unseen)
	}
	return native.TypeOf(v)
}

// asWords tells whether an error of gojq's is one that jq has other words for.
func asWords(err error) bool {
	var e *native.Error
	return errors.As(err, &e)
}

// inapplicable says why two values have no sum, difference and so on.
func inapplicable(op syntax.Operator, a, b any) error {
	verb := map[syntax.Operator]string{
		syntax.OpAdd: "added", syntax.OpSub: "subtracted", syntax.OpMul: "multiplied", syntax.OpDiv: "divided", syntax.OpMod: "divided (remainder)",
	}[op]
	_, ok1 := native.ToFloat(a)
	_, ok2 := native.ToFloat(b)
	switch {
	case ok1 && ok2:
		verb += " because the divisor is zero"
	case op == syntax.OpMul && (ok1 && kindOf(b) == "string" || ok2 && kindOf(a) == "string"):
		return plainError("Repeat string result too long")
	}
	return cannotBoth(a, b, "cannot be "+verb)
}

// ofNumbers is what jq's mathematics say of what is no number.
const ofNumbers = "number required"

// needsString are what the functions of strings say of what is no string.
func needsString(name string, v any) error {
	switch name {
	case "utf8bytelength":
		return cannot(v, "only strings have UTF-8 byte length")
	case "trim", "ltrim", "rtrim":
		return plainError("trim input must be a string")
	case "split":
		return plainError("split input and separator must be strings")
	case "startswith", "ltrimstr", "trimstr":
		return plainError("startswith() requires string inputs")
	case "endswith", "rtrimstr":
		return plainError("endswith() requires string inputs")
	}
	return plainError("explode input must be a string")
}

// misplaced is what is wrong with the first step of a path into v, for n to be
// put there or, when it is gone, to be deleted.
func misplaced(v any, path []any, n any) error {
	k := path[0]
	switch v.(type) {
	case []any:
		if _, ok := k.([]any); !ok {
			break
		}
		if deletes(n) {
			return plainError("Cannot delete array element of array")
		}
		return plainError("Cannot update field at array index of array")
	case string:
		if slice, ok := k.(*object.Object); ok && !deletes(n) {
			if _, _, err := edges(0, slice); err != nil {
				return err
			}
			return plainError("Cannot update string slices")
		}
	}
	if !deletes(n) || len(path) > 1 {
		return cannotIndex(v, k)
	}
	switch v.(type) {
	case []any:
		return plainError("Cannot delete " + native.TypeOf(k) + " element of array")
	case *object.Object:
		return plainError("Cannot delete " + native.TypeOf(k) + " field of object")
	}
	return plainError("Cannot delete fields from " + native.TypeOf(v))
}
