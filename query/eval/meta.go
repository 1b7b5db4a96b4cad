package eval

import (
	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/syntax/native"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// constantOf gives the value of a constant in metadata.
func constantOf(t *syntax.ConstTerm) any {
	switch {
	case t.Object != nil:
		return metaOf(t.Object)
	case t.Array != nil:
		out := make([]any, len(t.Array.Elems))
		for i, x := range t.Array.Elems {
			out[i] = constantOf(x)
		}
		return out
	case t.Number != "":
		return native.Number(t.Number)
	case t.Null:
		return nil
	case t.True:
		return true
	case t.False:
		return false
	}
	return t.Str
}

// metaOf gives the value of a module's or an import's metadata.
func metaOf(o *syntax.ConstObject) *object.Object {
	out := object.New(0)
	if o == nil {
		return out
	}
	for _, kv := range o.KeyVals {
		k := kv.Key
		if k == "" {
			k = kv.KeyString
		}
		out.Set(k, constantOf(kv.Val))
	}
	return out
}
