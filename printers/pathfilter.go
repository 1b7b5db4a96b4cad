package printers

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"math/big"

	"github.com/meshq/kubectl-meshq/printers/encode"
	"k8s.io/client-go/util/jsonpath"
)

// filter returns the elements of arrays that satisfy a condition. A condition
// that compares values of different types, or null, is false.
func (e *pathEvaluation) filter(in []any, n *jsonpath.FilterNode) (out []any, err error) {
	for _, v := range in {
		if v, err = e.load(v); err != nil {
			return nil, err
		}
		items, ok := v.([]any)
		if !ok {
			if v == nil {
				continue
			}
			return nil, fmt.Errorf("%s is not an array and cannot be filtered", typeName(v))
		}
		for _, item := range items {
			pass, err := e.satisfies(item, n)
			if err != nil {
				return nil, err
			}
			if pass {
				out = append(out, item)
			}
		}
	}
	return out, nil
}

func (e *pathEvaluation) satisfies(item any, n *jsonpath.FilterNode) (bool, error) {
	left, err := e.path([]any{item}, n.Left)
	if n.Operator == "exists" {
		if ended := e.ctx.Err(); ended != nil {
			return false, ended
		}
		return len(left) > 0, nil
	}
	if err != nil {
		return false, err
	}
	right, err := e.path([]any{item}, n.Right)
	switch {
	case err != nil:
		return false, err
	case len(left) == 0 || len(right) == 0:
		return false, nil
	case len(left) > 1 || len(right) > 1:
		return false, fmt.Errorf("can only compare one element at a time")
	}
	a, err := e.load(left[0])
	if err != nil {
		return false, err
	}
	b, err := e.load(right[0])
	if err != nil {
		return false, err
	}
	return compareScalars(a, n.Operator, b)
}

// compareScalars reports whether a comparison of two values is true. Only
// scalars of the same type are comparable.
func compareScalars(a any, operator string, b any) (bool, error) {
	order, ok := scalarOrder(a, b)
	_, isBool := a.(bool)
	switch operator {
	case "==":
		return ok && order == 0, nil
	case "!=":
		return ok && order != 0, nil
	case "<":
		return ok && !isBool && order < 0, nil
	case ">":
		return ok && !isBool && order > 0, nil
	case "<=":
		return ok && !isBool && order <= 0, nil
	case ">=":
		return ok && !isBool && order >= 0, nil
	}
	return false, fmt.Errorf("unrecognized filter operator %s", operator)
}

// scalarOrder compares two strings, two numbers or two booleans. It returns
// false for any other pair.
func scalarOrder(a, b any) (int, bool) {
	switch x := a.(type) {
	case string:
		y, ok := b.(string)
		return cmp.Compare(x, y), ok
	case bool:
		y, ok := b.(bool)
		if x == y {
			return 0, ok
		}
		if x {
			return 1, ok
		}
		return -1, ok
	}
	x, y := toBigFloat(a), toBigFloat(b)
	if x == nil || y == nil {
		return 0, false
	}
	return x.Cmp(y), true
}

// toBigFloat converts a number without loss of precision. It returns nil for
// NaN and for a value that is not a number.
func toBigFloat(v any) *big.Float {
	switch v := v.(type) {
	case int:
		return new(big.Float).SetInt64(int64(v))
	case float64:
		if math.IsNaN(v) {
			return nil
		}
		return big.NewFloat(encode.Finite(v))
	case *big.Int:
		return new(big.Float).SetInt(v)
	case json.Number:
		f, _, err := big.ParseFloat(string(v), 10, 512, big.ToNearestEven)
		if err != nil {
			return nil
		}
		return f
	}
	return nil
}
