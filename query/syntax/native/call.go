package native

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"sync"

	"github.com/itchyny/gojq"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// Funcs evaluates small jq expressions with gojq. It compiles each expression
// only once. The zero value is ready to use. It is safe for concurrent use.
type Funcs struct {
	compiled sync.Map // *gojq.Code by expression
}

// arguments names the variables of an expression, in the order of Call's
// values.
var arguments = []string{"$a", "$b", "$c", "$d"}

// Call evaluates an expression and returns its first result. The values become
// $a, $b, $c and $d in the expression; missing values are null. The input is
// $a. The values must be plain, and so is the result.
//
// Errors of the evaluation have gojq's texts. A [ValueError] carries a value
// that try can catch, and a [*Halt] ends the run. A panic inside gojq is
// returned as an error.
//
// A call on large values can't be interrupted, so it runs in a goroutine. If
// the context ends first, Call returns the context's error at once, and the
// goroutine runs to its end without effect.
func (f *Funcs) Call(ctx context.Context, expr string, values ...any) (any, error) {
	code, err := f.code(expr)
	if err != nil {
		return nil, err
	}
	if ctx.Done() == nil || !large(values) {
		return evaluate(code, expr, values)
	}
	return Aside(ctx, func() (any, error) { return evaluate(code, expr, values) })
}

// Aside runs work that can't be interrupted. It returns the result of work, or
// the context's error as soon as the context ends. In that case, work runs to
// its end in the background and keeps its memory until then, and its result is
// dropped.
func Aside(ctx context.Context, work func() (any, error)) (any, error) {
	type result struct {
		v   any
		err error
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	done := make(chan result, 1)
	go func() {
		v, err := guard(work)
		done <- result{v, err}
	}()
	select {
	case r := <-done:
		return r.v, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (f *Funcs) code(expr string) (*gojq.Code, error) {
	if c, ok := f.compiled.Load(expr); ok {
		return c.(*gojq.Code), nil
	}
	q, err := gojq.Parse(expr)
	if err != nil {
		return nil, err
	}
	c, err := gojq.Compile(q, gojq.WithVariables(arguments))
	if err != nil {
		return nil, err
	}
	f.compiled.Store(expr, c)
	return c, nil
}

func evaluate(code *gojq.Code, expr string, values []any) (any, error) {
	return guard(func() (any, error) {
		var a [4]any
		for i, v := range values {
			a[i] = object.ToPlain(v)
		}
		v, ok := code.Run(a[0], a[:]...).Next()
		if !ok {
			return nil, fmt.Errorf("no result from %s", expr)
		}
		if err, ok := v.(error); ok {
			return nil, carried(err)
		}
		return object.FromPlain(v), nil
	})
}

func guard(work func() (any, error)) (v any, err error) {
	defer func() {
		if r := recover(); r != nil {
			v, err = nil, fmt.Errorf("%v", r)
		}
	}()
	return work()
}

// If the values of a call are larger than this, the call runs in a goroutine.
const (
	largeText  = 1 << 20
	largeNodes = 1 << 14
)

func large(values []any) bool {
	text, nodes := largeText, largeNodes
	for _, v := range values {
		if weigh(v, &text, &nodes); text < 0 || nodes < 0 {
			return true
		}
	}
	return false
}

// weigh subtracts the size of v from text and nodes. It stops when one of them
// is below zero.
func weigh(v any, text, nodes *int) {
	*nodes--
	switch v := v.(type) {
	case string:
		*text -= len(v)
	case json.Number:
		*text -= len(v)
	case *big.Int:
		*text -= v.BitLen() // more than the length of its text, but proportional to the work on it
	case []any:
		for i := 0; i < len(v) && *text >= 0 && *nodes >= 0; i++ {
			weigh(v[i], text, nodes)
		}
	case *object.Object:
		for k, w := range v.All() {
			if *text -= len(k); *text < 0 || *nodes < 0 {
				return
			}
			weigh(w, text, nodes)
		}
	}
}
