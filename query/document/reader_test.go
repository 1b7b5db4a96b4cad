package document

import (
	"context"
	"errors"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

func TestReaderKeepsTheFirstError(t *testing.T) {
	first, second := errors.New("first"), errors.New("second")
	fails := func(err error) any {
		return mesh.Later(func(context.Context) (any, error) { return nil, err })
	}
	v := object.Of("a", fails(first), "b", fails(second), "c", object.Of("name", "x", "port", 80))
	r := NewReader(t.Context())
	if name, port := r.Text(v, "c", "name"), r.Number(v, "c", "port"); name != "x" || port != 80 || r.Err != nil {
		t.Errorf("got %q, %d and %v", name, port, r.Err)
	}
	r.Text(v, "a")
	r.Text(v, "b")
	if r.Err != first {
		t.Errorf("the error is %v, not the first", r.Err)
	}
	if name := r.Text(v, "c", "name"); name != "" {
		t.Errorf("a read after an error returned %q", name)
	}
}

func TestReaderReturnsZeroForAMissingPath(t *testing.T) {
	r := NewReader(t.Context())
	for _, v := range []any{nil, 1, "text", []any{}, object.Of("a", nil)} {
		if r.Text(v, "a", "b") != "" || r.List(v, "a", "b") != nil || r.Object(v, "a") != nil || r.Flag(v, "a") || r.Err != nil {
			t.Errorf("%v: a missing path has a value, or %v", v, r.Err)
		}
	}
}
