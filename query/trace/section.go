package trace

import (
	"context"
	"strings"

	"github.com/meshq/kubectl-meshq/query/document"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// narrowed returns the elements of a section that match a hint, and perhaps others.
func narrowed(ctx context.Context, owner any, section string, h mesh.Hint) ([]any, error) {
	r := document.NewReader(ctx)
	v := r.Get(owner, section)
	if n, ok := v.(mesh.Narrower); ok {
		if _, done := n.Forced(); !done {
			if some, ok, err := n.Narrow(ctx, h); err != nil || ok {
				return some, err
			}
		}
	}
	return r.List(v), r.Err
}

// byName returns the element of a section that has this name and that Envoy uses.
// If there is none, used is nil, and unused is an element of that name that Envoy
// doesn't use, or nil.
func byName(ctx context.Context, owner any, section, name string) (used, unused any, err error) {
	some, err := narrowed(ctx, owner, section, mesh.Hint{By: "name", Names: []string{name}})
	r := document.NewReader(ctx)
	for _, e := range some {
		if r.Text(e, "name") != name {
			continue
		}
		if inUse(r, e) && r.Err == nil {
			return e, nil, nil
		}
		unused = e
	}
	if err == nil {
		err = r.Err
	}
	return nil, unused, err
}

// inUse reports whether Envoy uses an element of a section.
func inUse(r *document.Reader, e any) bool {
	state := r.Text(e, "state")
	return state == "" || state == "ACTIVE" || state == "STATIC"
}

// ownerOf returns the proxy that a value of the document belongs to, or nil if it
// belongs to none.
func ownerOf(v any) *mesh.Object {
	if o, ok := v.(*mesh.Object); ok {
		return o.Owner
	}
	return nil
}

// hasType reports whether the type of a configuration has this name. The name
// excludes the package: "TcpProxy".
func hasType(r *document.Reader, config any, name string) bool {
	return strings.HasSuffix(r.Text(config, "@type"), name)
}

// merged returns an object with the fields of all given objects. A later object's
// field replaces an earlier one's.
func merged(all ...*object.Object) *object.Object {
	out := object.New(0)
	for _, m := range all {
		out.SetAll(m)
	}
	return out
}

// endpointMetadata returns the metadata (envoy.lb) that endpoints must have for a
// route, a TCP proxy or an entry of weighted clusters. metadataMatch is the field
// of that name.
func endpointMetadata(r *document.Reader, metadataMatch any) *object.Object {
	m, _ := r.Deep(r.Get(metadataMatch, "filterMetadata", "envoy.lb")).(*object.Object)
	return m
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// orEmpty returns an empty array for nil, because nil would become null.
func orEmpty(a []any) []any {
	if a == nil {
		return []any{}
	}
	return a
}

func toAny[T any](all []T) []any {
	out := make([]any, len(all))
	for i, v := range all {
		out[i] = v
	}
	return out
}
