// Package ztunnel reads the config dump of a ztunnel, the proxy of a node in
// an ambient mesh: the workloads, services and policies it knows, the
// connections open in it, its certificates.
//
// It knows the forms of that dump, those of old versions too. It knows nothing
// of Envoy, and not where a dump came from.
package ztunnel

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// Request is what the admin port is asked for; the answer has every section.
const Request = "config_dump"

// A Proxy reads the sections of one ztunnel.
type Proxy struct {
	Owner *mesh.Object
	Now   time.Time // that certificates are valid at, or not
}

// Section reads one section: an array of objects of its kind, in the order of
// namespace and name (certificates: as ztunnel has them).
func (p *Proxy) Section(ctx context.Context, s mesh.Section, doc *decode.Document) (any, error) {
	switch s {
	case mesh.Workloads:
		return p.resources(ctx, doc, "Workload", "uid", "workloads")
	case mesh.Services:
		return p.resources(ctx, doc, "WorkloadService", "hostname", "services", "services_by_ip", "servicesByIp", "services_by_vip", "servicesByVip")
	case mesh.Policies:
		return p.resources(ctx, doc, "Policy", "scope", "policies")
	case mesh.Connections:
		return p.connections(ctx, doc)
	case mesh.Secrets:
		return p.secrets(ctx, doc)
	}
	return nil, nil
}

// Recognize tells whether a document is the config dump of a ztunnel.
func Recognize(ctx context.Context, doc *decode.Document) (bool, error) {
	seen := 0
	here := &decode.Node{Walk: true, Visit: 1}
	root := &decode.Node{Walk: true, Fields: []decode.Field{
		{Name: "workloads", Node: here}, {Name: "services", Node: here}, {Name: "services_by_ip", Node: here}, {Name: "certificates", Node: here},
	}}
	_, err := doc.Pass(ctx, 0, -1, nil, root, func(int, any, int64, int64) error {
		seen++
		return nil
	})
	return seen > 1, err
}

// member reads one member of the dump; nil where it has none.
func member(ctx context.Context, doc *decode.Document, name string, n *decode.Node) (any, error) {
	v, err := doc.Pass(ctx, 0, -1, nil, &decode.Node{Fields: []decode.Field{{Name: name, Node: n}}}, nil)
	m, _ := v.(*object.Object)
	return m.Get(name), err
}

// resources reads a list of resources, which has had several names; in old
// dumps it is a map, by address, or one such map for each way to look one up. A
// third field orders those of one name.
func (p *Proxy) resources(ctx context.Context, doc *decode.Document, kind, third string, names ...string) (any, error) {
	var v any
	for _, name := range names {
		var err error
		if v, err = member(ctx, doc, name, &decode.Node{Elem: &decode.Node{Shallow: true}}); err == nil && isIndex(v) {
			v, err = member(ctx, doc, name, &decode.Node{All: true})
		}
		if err != nil {
			return nil, err
		}
		if v != nil {
			break
		}
	}
	if v == nil {
		return nil, lacking(names[0])
	}
	found := objects(v)
	slices.SortStableFunc(found, func(a, b *object.Object) int {
		return cmp.Or(byText(a, b, "namespace"), byText(a, b, "name"), byText(a, b, third))
	})
	out := make([]any, len(found))
	for i, m := range found {
		renew(m)
		out[i] = mesh.NewObject(kind, p.Owner, m)
	}
	return out, nil
}

// lacking is the error of a dump that says nothing of a section: that is not
// known to be empty.
func lacking(name string) error { return fmt.Errorf("no %s in it", name) }

// renew adds what ztunnels of 2023 called otherwise under today's names.
func renew(m *object.Object) {
	if ip, ok := m.Get("workloadIp").(string); ok && m.Get("workloadIps") == nil {
		m.Set("workloadIps", []any{ip})
	}
	if vips, ok := m.Lookup("addresses"); ok && m.Get("vips") == nil {
		m.Set("vips", vips)
	}
}

// isIndex tells whether a value is maps of resources by several keys:
// "by_addr", "byUid".
func isIndex(v any) bool {
	m, ok := v.(*object.Object)
	for k := range m.All() {
		if !strings.HasPrefix(k, "by_") && !(len(k) > 2 && strings.HasPrefix(k, "by") && k[2] >= 'A' && k[2] <= 'Z') {
			return false
		}
	}
	return ok && m.Len() > 0
}

// objects gives the objects in an array, or in an object by their keys; of an
// index each once.
func objects(v any) []*object.Object {
	var out []*object.Object
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			if m, ok := e.(*object.Object); ok {
				out = append(out, m)
			}
		}
	case *object.Object:
		if isIndex(v) {
			return indexed(v)
		}
		for _, k := range sorted(v) {
			if m, ok := v.Get(k).(*object.Object); ok {
				out = append(out, m)
			}
		}
	}
	return out
}

// indexed gives the objects of an index: the same one stands under several
// keys, alone or in a list.
func indexed(index *object.Object) []*object.Object {
	var out []*object.Object
	add := func(m *object.Object) {
		if !slices.ContainsFunc(out, func(o *object.Object) bool { return object.Equal(o, m) }) {
			out = append(out, m)
		}
	}
	for _, by := range sorted(index) {
		under, _ := index.Get(by).(*object.Object)
		for _, k := range sorted(under) {
			list, _ := under.Get(k).([]any)
			for _, m := range objects(list) {
				add(m)
			}
			if m, ok := under.Get(k).(*object.Object); ok {
				add(m)
			}
		}
	}
	return out
}

func byText(a, b *object.Object, key string) int {
	return cmp.Compare(text(a.Get(key)), text(b.Get(key)))
}

func text(v any) string {
	s, _ := v.(string)
	return s
}
