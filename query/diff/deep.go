package diff

import (
	"context"
	"errors"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// settle returns a value with all its lazy parts loaded. It omits the fields of
// this project, which are not compared (some of them would cost a request). It
// masks the secrets in Envoy's messages.
func settle(ctx context.Context, v any) (any, error) {
	v, err := settler{ctx, 0}.value(v, false)
	if err != nil {
		return nil, err
	}
	return undigested(ctx, v), nil
}

type settler struct {
	ctx   context.Context
	depth int
}

// deepest limits the depth of a value, because the comparison recurses as deep.
const deepest = 10_000

// value settles a value. envoys is set if the value belongs to a message of
// Envoy.
func (s settler) value(v any, envoys bool) (any, error) {
	if s.depth++; s.depth > deepest {
		return nil, errors.New("diff: a value is nested too deep")
	}
	if o, ok := v.(*mesh.Object); ok {
		fields, err := o.Fields(s.ctx)
		if err != nil {
			return nil, err
		}
		kind := kindRules()[o.Kind]
		return s.object(fields, kind, kind != nil)
	}
	if w, ok := v.(mesh.Whole); ok { // raw bytes of a document contain no fields of this project
		v, err := w.Deep(s.ctx)
		if err == nil && envoys {
			v = veiled(v)
		}
		return v, err
	}
	v, err := mesh.Force(s.ctx, v)
	if err != nil {
		return nil, err
	}
	switch x := v.(type) {
	case []any:
		return s.list(x, envoys)
	case *object.Object:
		return s.object(x, nil, envoys)
	}
	return v, nil
}

func (s settler) list(list []any, envoys bool) (any, error) {
	out := make([]any, len(list))
	for i, v := range list {
		var err error
		if out[i], err = s.value(v, envoys); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s settler) object(fields *object.Object, kind *kindRule, envoys bool) (any, error) {
	out := object.New(fields.Len())
	for key, v := range fields.All() {
		if key != "kind" && kind.leaves(key) {
			continue
		}
		v, err := s.value(v, envoys)
		if err != nil {
			return nil, err
		}
		if envoys && secrets[key] {
			v = veil(v)
		}
		out.Set(key, v)
	}
	return out, nil
}

// secrets lists the fields that hold secrets. Envoy always masks them, but
// istiod doesn't.
var secrets = map[string]bool{
	"privateKey": true, "password": true, "sessionTicketKeys": true, "secretAccessKey": true, "sessionToken": true,
	"authPassword": true, "inlineKey": true,
}

// veiled returns a value with its secrets masked. It returns the same value if
// there are none.
func veiled(v any) any {
	switch x := v.(type) {
	case *object.Object:
		return veiledObject(x)
	case []any:
		for i, e := range x {
			if w := veiled(e); !unmoved(w, e) {
				out := append([]any(nil), x...)
				for ; i < len(x); i++ {
					out[i] = veiled(x[i])
				}
				return out
			}
		}
	}
	return v
}

func veiledObject(m *object.Object) any {
	var out *object.Object
	for key, v := range m.All() {
		w := v
		if secrets[key] {
			w = veil(v)
		} else if w = veiled(v); unmoved(w, v) {
			continue
		}
		if out == nil {
			out = object.New(m.Len())
			for k, v := range m.All() {
				out.Set(k, v)
			}
		}
		out.Set(key, w)
	}
	if out == nil {
		return m
	}
	return out
}

// unmoved reports whether w, the result of veiled, is still the same value as
// v.
func unmoved(w, v any) bool {
	switch v.(type) {
	case *object.Object, []any:
		return mesh.Identical(w, v)
	}
	return true
}

// veil replaces all strings in a secret by the word that Envoy writes in their
// place. It keeps the path of a file and the name of an environment variable
// that hold a secret.
func veil(v any) any {
	switch x := v.(type) {
	case string:
		return mesh.Redacted
	case []any:
		out := make([]any, len(x))
		for i, e := range x {
			out[i] = veil(e)
		}
		return out
	case *object.Object:
		out := object.New(x.Len())
		for key, e := range x.All() {
			if key != "filename" && key != "environmentVariable" {
				e = veil(e)
			}
			out.Set(key, e)
		}
		return out
	}
	return v
}
