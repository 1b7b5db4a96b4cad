package mesh

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshq/kubectl-meshq/sources/object"
)

func TestAskedFor(t *testing.T) {
	got := AskedFor([]string{"a.b.c", "name", "a.b", "a.b.d", "x.y", "x.z"})
	if want := (Asked{"a": {"b": nil}, "name": nil, "x": {"y": nil, "z": nil}}); !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
	if got := AskedFor([]string{}); got == nil || len(got) > 0 {
		t.Errorf("nothing is %v", got)
	}
}

// TestPartial checks that the whole object is loaded only once, that it is
// loaded again after an error, and that repeated reads of a partial member
// return the same object.
func TestPartial(t *testing.T) {
	asked := 0
	p := NewPartial(object.Of("name", "a", "w", object.Of("z", 1)), AskedFor([]string{"name", "w.z", "u.q"}), func(context.Context) (any, error) {
		if asked++; asked == 1 {
			return nil, errors.New("refused")
		}
		return object.Of("name", "a", "w", object.Of("z", 1, "y", 2)), nil
	})
	w, ok := p.Member("w")
	if again, _ := p.Member("w"); !ok || w != again {
		t.Errorf("%v, then %v", w, again)
	}
	if _, ok := p.Member("v"); ok || asked > 0 || p.Pending() {
		t.Error("more is known than was asked for")
	}
	u, ok := p.Member("u")
	if k, isKnown := u.(Known); !ok || !isKnown || k.IsObject() || !w.(Known).IsObject() {
		t.Errorf("what may be null: %v", u)
	}
	if q, ok := u.(Known).Member("q"); !ok || q != nil {
		t.Errorf("absent, but asked for: %v", q)
	}
	if _, err := p.Force(t.Context()); err == nil {
		t.Error("no error")
	}
	for v, want := range map[any]any{p: object.Of("name", "a", "w", object.Of("z", 1, "y", 2)), w: object.Of("z", 1, "y", 2), u: nil} {
		if got, err := Deep(t.Context(), v); err != nil || !cmp.Equal(got, want) {
			t.Errorf("%v, %v", got, err)
		}
	}
	if asked != 2 {
		t.Errorf("asked %d times", asked)
	}
}
