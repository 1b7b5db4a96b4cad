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

// Funcs evaluates small jq expressions with the gojq library. It compiles each expression
// only once. The zero value is ready to use, also by several goroutines at once.
type Funcs struct {
	compiled sync.Map // compiled expressions (*gojq.Code), by their text
}

// arguments lists the names of the variables in an expression, in the order of the values
// that are passed to Call.
var arguments = []string{"$a", "$b", "$c", "$d"}

// Call evaluates an expression and returns its first result. In the expression, the
// values are $a, $b, $c and $d; missing ones are null. The first value is also the input.
// The values must be loaded completely, and so is the result.
//
// Errors have gojq's texts. A [ValueError] contains the value that try … catch yields. A
// [*Halt] ends the run. A panic inside gojq becomes an error.
//
// A call on large values can't be interrupted, so it runs in a goroutine of its own. If
// the context ends first, Call returns the context's error at once. The goroutine then
// runs to its end, and its result is dropped.
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

// Aside runs a function that can't be interrupted in a goroutine of its own, and returns
// the function's result. If the context ends first, Aside returns the context's error at
// once. The goroutine then runs to its end in the background, keeps its memory until
// then, and its result is dropped.
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

// A call whose values are larger than these limits runs in a goroutine of its own.
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

// weigh subtracts the size of v from text and nodes. It stops as soon as one of them is
// negative.
func weigh(v any, text, nodes *int) {
	*nodes--
	switch v := v.(type) {
	case string:
		*text -= len(v)
	case json.Number:
		*text -= len(v)
	case *big.Int:
		// the number of bits exceeds the length of the text, but the time to process the
		// number grows with it
		*text -= v.BitLen()
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
