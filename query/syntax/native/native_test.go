package native

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/itchyny/gojq"

	"github.com/meshq/kubectl-meshq/sources/object"
)

func TestNumberIsGojqs(t *testing.T) {
	for _, s := range []string{"0", "-0", "1", "1.0", "1.10", "1e3", "1E-3", "9223372036854775807", "9223372036854775808", "1e1000", "0.1", ".5", "5.",
		"123456789012345678901234567890", "1" + strings.Repeat("0", 400), "1e-400", "00012"} {
		q, err := gojq.Parse(s)
		if err != nil {
			continue
		}
		want, _ := q.Run(nil).Next()
		if got := Number(s); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %T %v, want %T %v", s, got, got, want, want)
		}
		q, _ = gojq.Parse("$n + 0")
		code, _ := gojq.Compile(q, gojq.WithVariables([]string{"$n"}))
		want, _ = code.Run(nil, json.Number(s)).Next()
		if got := Number(s); gojq.Compare(got, want) != 0 {
			t.Errorf("%s as data: %v, want %v", s, got, want)
		}
	}
	if got := Number("-1e400"); got != math.Inf(-1) {
		t.Errorf("-1e400: %v", got)
	}
	if got, ok := Number("-9223372036854775809").(*big.Int); !ok || got.String() != "-9223372036854775809" {
		t.Errorf("large negative: %v", got)
	}
}

func TestCall(t *testing.T) {
	var f Funcs
	ctx := context.Background()
	v, err := f.Call(ctx, "$a + $b + $c + $d", 1, 2, 3, 4)
	if err != nil || v != 10 {
		t.Errorf("got %v, %v", v, err)
	}
	v, err = f.Call(ctx, ". == $a and $b == null", "x")
	if err != nil || v != true {
		t.Errorf("missing values are null: got %v, %v", v, err)
	}
	if _, err = f.Call(ctx, "tonumber", "x"); err == nil || err.Error() != `tonumber cannot be applied to "x": invalid number` {
		t.Errorf("got %v", err)
	}
	if _, err = f.Call(ctx, "error", object.Of("a", 1)); err == nil {
		t.Fatal("no error")
	}
	var ve ValueError
	if !errors.As(err, &ve) || !object.Equal(ve.Value(), object.Of("a", 1)) || err.Error() != `error: {"a":1}` {
		t.Errorf("got %v", err)
	}
	var h *Halt
	if _, err = f.Call(ctx, "halt_error(3)", "bye"); !errors.As(err, &h) || h.Code != 3 || h.Value != "bye" {
		t.Errorf("got %v", err)
	}
	if _, err = f.Call(ctx, "$a | keys", struct{}{}); err == nil {
		t.Error("a foreign value is no error")
	}
	if _, err = f.Call(ctx, "no_such"); err == nil || !strings.Contains(err.Error(), "function not defined: no_such/0") {
		t.Errorf("got %v", err)
	}
	if _, err = f.Call(ctx, "1 +"); err == nil {
		t.Error("half an expression is no error")
	}
}

func TestCallLeavesLongWork(t *testing.T) {
	var f Funcs
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := f.Call(ctx, `$a | test("(x+x+)+y")`, strings.Repeat("x", 8<<20))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if d := time.Since(start); d > time.Second {
		t.Errorf("it took %v", d)
	}
	if v, err := f.Call(context.Background(), `length`, strings.Repeat("x", 2<<20)); v != 2<<20 || err != nil {
		t.Errorf("got %v, %v", v, err)
	}
}

func TestLarge(t *testing.T) {
	deep := any("x")
	for range 1000 {
		deep = []any{deep}
	}
	for _, c := range []struct {
		v    any
		want bool
	}{
		{nil, false}, {strings.Repeat("x", 1<<20), false}, {strings.Repeat("x", 1<<20+1), true}, {make([]any, 1<<15), true}, {deep, false},
		{object.Of(strings.Repeat("k", 2<<20), 1), true}, {new(big.Int).Lsh(big.NewInt(1), 1<<21), true},
		{[]any{json.Number(strings.Repeat("1", 2<<20))}, true},
	} {
		if got := large([]any{1, c.v}); got != c.want {
			t.Errorf("%.20T: %v", c.v, got)
		}
	}
}

func TestTexts(t *testing.T) {
	v := object.Of("b", []any{math.NaN(), math.Inf(1), "é\x00"}, "a", nil)
	if got := Marshal(v); got != `{"b":[null,1.7976931348623157e+308,"é\u0000"],"a":null}` {
		t.Error(got)
	}
	if got := Preview(nil); got != "null (null)" {
		t.Error(got)
	}
	if got := Preview(v); got != `object ({"b":[null,1.797693134862...})` || Excerpt(v) != got[8:len(got)-1] {
		t.Error(got)
	}
}
