package encode

import (
	"context"
	"encoding/json"
	"math"
	"math/big"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// Plain returns a value without lazy parts, for encoders in other packages. An
// unavailable part becomes nil. A number becomes an int64, uint64 or float64,
// as from Kubernetes' decoder. A string becomes valid UTF-8.
func Plain(ctx context.Context, v any) (any, error) {
	v, err := LoadWholePart(ctx, v)
	if err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case []any:
		return plainArray(ctx, v)
	case *object.Object:
		return plainObject(ctx, v)
	case string:
		return strings.ToValidUTF8(v, "\ufffd"), nil
	case float64, json.Number, *big.Int:
		return plainNumber(v), nil
	}
	return v, nil
}

func plainArray(ctx context.Context, v []any) (any, error) {
	out := make([]any, len(v))
	for i, w := range v {
		var err error
		if out[i], err = Plain(ctx, w); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func plainObject(ctx context.Context, v *object.Object) (any, error) {
	out := make(map[string]any, v.Len())
	for _, k := range v.Sorted() { // the keys are sorted, so that parts are always loaded in the same order
		w, err := Plain(ctx, v.Get(k))
		if err != nil {
			return nil, err
		}
		out[k] = w
	}
	return out, nil
}

// plainNumber returns a number as an int64 or uint64 if JSON writes it as an
// integer that fits, and as a float64 otherwise. For NaN and infinities, it
// returns the number that jq prints for them.
func plainNumber(v any) any {
	f, isFloat := v.(float64)
	switch {
	case isFloat && math.IsNaN(f):
		return nil
	case isFloat && f != math.Trunc(f):
		return f
	}
	text := string(AppendNumber(nil, v))
	if i, ok := new(big.Int).SetString(text, 10); ok {
		switch {
		case i.IsInt64():
			return i.Int64()
		case i.IsUint64():
			return i.Uint64()
		}
	}
	f, _ = json.Number(text).Float64() // a number outside of float64's range becomes an infinity
	return Finite(f)
}

// Finite returns f. In place of an infinity, it returns the largest float64.
func Finite(f float64) float64 {
	return min(max(f, -math.MaxFloat64), math.MaxFloat64)
}
