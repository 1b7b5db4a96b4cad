package diff

import (
	"context"
	"errors"
	"slices"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// settle returns a value with all its parts loaded, for the comparison. It omits the
// fields that aren't Envoy's but were added by this project: they are not compared, and
// some of them would cost a request. It masks the secrets in Envoy's messages.
func settle(ctx context.Context, v any) (any, error) {
	v, err := settler{ctx, 0}.value(v, false)
	if err != nil {
		return nil, err
	}
	return maskDigests(ctx, v), nil
}

type settler struct {
	ctx   context.Context
	depth int
}

// maxDepth limits the depth of a value, because the comparison is recursive.
const maxDepth = 10_000

// value does the work of the function settle for one value. envoys is true if the value
// is a part of an Envoy message.
func (s settler) value(v any, envoys bool) (any, error) {
	if s.depth++; s.depth > maxDepth {
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
	if w, ok := v.(mesh.Whole); ok { // a value that is only raw bytes contains no fields that this project added
		v, err := w.Deep(s.ctx)
		if err == nil && envoys {
			v = mask(v)
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
		if key != "kind" && kind.excludes(key) {
			continue
		}
		v, err := s.value(v, envoys)
		if err != nil {
			return nil, err
		}
		if envoys && secrets[key] {
			v = maskAll(v)
		}
		out.Set(key, v)
	}
	return out, nil
}

// secrets lists the fields that contain secrets. Envoy always masks them in its
// responses, but istiod doesn't.
var secrets = map[string]bool{
	"privateKey": true, "password": true, "sessionTicketKeys": true, "secretAccessKey": true, "sessionToken": true,
	"authPassword": true, "inlineKey": true,
}

// mask returns a value with its secrets masked. If it has no secrets, the value itself is
// returned.
func mask(v any) any {
	return rewriting{member: func(key string, v any) (string, any, bool) {
		if secrets[key] {
			return key, maskAll(v), true
		}
		return key, nil, false
	}}.value(v)
}

// maskAll replaces all strings in a secret by the text with which Envoy masks secrets. It
// keeps the path of a file, or the name of an environment variable, from which Envoy
// reads a secret.
func maskAll(v any) any {
	return rewriting{
		text: func(string) string { return mesh.Redacted },
		member: func(key string, v any) (string, any, bool) {
			return key, v, key == "filename" || key == "environmentVariable"
		},
	}.value(v)
}

// rewriting replaces strings and members of a value. It copies only the parts that
// change.
type rewriting struct {
	text func(string) string // returns the replacement of a string; may be nil

	// member returns the new name of a member. If done is true, w is the member's new
	// value. Otherwise the member's old value is rewritten recursively.
	member func(key string, v any) (name string, w any, done bool)
}

func (r rewriting) value(v any) any {
	switch x := v.(type) {
	case string:
		if r.text != nil {
			return r.text(x)
		}
	case []any:
		out := x
		for i, e := range x {
			w := r.value(e)
			if isSame(w, e) {
				continue
			}
			if mesh.Identical(out, x) {
				out = slices.Clone(x)
			}
			out[i] = w
		}
		return out
	case *object.Object:
		return r.object(x)
	}
	return v
}

func (r rewriting) object(m *object.Object) any {
	var out *object.Object
	for key, v := range m.All() {
		name, w, done := r.member(key, v)
		if !done {
			w = r.value(v)
		}
		if out == nil && (name != key || !isSame(w, v)) {
			out = object.New(m.Len())
			for k, e := range m.All() {
				if k == key {
					break
				}
				out.Set(k, e)
			}
		}
		if out != nil {
			out.Set(name, w)
		}
	}
	if out == nil {
		return m
	}
	return out
}

// isSame reports whether rewriting has left a value unchanged, that is, whether the
// rewritten value w is v itself.
func isSame(w, v any) bool {
	switch v.(type) {
	case *object.Object, []any:
		return mesh.Identical(w, v)
	}
	return w == v
}
