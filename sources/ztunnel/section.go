// Package ztunnel reads the config dump of a ztunnel, the proxy of a node in an
// ambient mesh: the workloads, services and policies that it knows, its open
// connections, and its certificates.
//
// It knows the current form of that dump and the old ones. It knows nothing of
// Envoy, and not where a dump came from.
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

// Request is the path on the admin port whose answer contains every section except
// the log levels.
const Request = "config_dump"

// RequestFor returns the path on the admin port whose answer contains a section.
func RequestFor(s mesh.Section) string {
	if s == mesh.Loggers {
		return "logging"
	}
	return Request
}

// A Proxy reads the sections of one ztunnel.
type Proxy struct {
	Owner *mesh.Object
	Now   time.Time // the time at which a certificate must be valid to count as such
}

// Section reads one section from the answer to [RequestFor]. The result is an array of objects of the section's
// kind, sorted by namespace and name; certificates keep the order of the dump.
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
	case mesh.Loggers:
		return levels(doc)
	}
	return nil, nil
}

// Recognize reports whether a document is the config dump of a ztunnel.
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

// member reads one member of the dump, nil if there is none.
func member(ctx context.Context, doc *decode.Document, name string, n *decode.Node) (any, error) {
	v, err := doc.Pass(ctx, 0, -1, nil, &decode.Node{Fields: []decode.Field{{Name: name, Node: n}}}, nil)
	m, _ := v.(*object.Object)
	return m.Get(name), err
}

// resources reads a list of resources. names are its current name and older ones. In
// old dumps the list is a map by address, or contains several maps by different
// keys. third is the field that sorts objects with the same name and namespace.
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

// lacking returns the error for a dump without a section, since a missing section
// isn't known to be empty.
func lacking(name string) error { return fmt.Errorf("no %s in it", name) }

// renew copies members with the names of 2023 to today's names.
func renew(m *object.Object) {
	if ip, ok := m.Get("workloadIp").(string); ok && m.Get("workloadIps") == nil {
		m.Set("workloadIps", []any{ip})
	}
	if vips, ok := m.Lookup("addresses"); ok && m.Get("vips") == nil {
		m.Set("vips", vips)
	}
}

// isIndex reports whether a value contains maps of resources by different keys, such
// as "by_addr" and "byUid".
func isIndex(v any) bool {
	m, ok := v.(*object.Object)
	for k := range m.All() {
		if !strings.HasPrefix(k, "by_") && !(len(k) > 2 && strings.HasPrefix(k, "by") && k[2] >= 'A' && k[2] <= 'Z') {
			return false
		}
	}
	return ok && m.Len() > 0
}

// objects returns the objects in an array, or in an object sorted by key. Objects of
// an index are returned once each.
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

// indexed returns the objects of an index, in which the same object appears under
// several keys, alone or in a list.
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
	return cmp.Compare(a.Text(key), b.Text(key))
}

func text(v any) string {
	s, _ := v.(string)
	return s
}
