package trace

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/meshq/kubectl-meshq/query/document"
	"github.com/meshq/kubectl-meshq/query/routing"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// registry reads the parts of the mesh around a proxy: its services, gateways and
// other proxies.
type registry struct {
	tracer *Tracer
	ctx    context.Context
	fault  *mesh.Fault // the error of the last call of list; nil if the list was read
}

// serviceTable indexes the services of one list by name, because a run looks up
// many names in the same list.
type serviceTable struct {
	mu     sync.Mutex
	of     []any          // the list of services that was indexed
	byName *object.Object // services by name.namespace
}

// get returns the services of a list by name.namespace.
func (t *serviceTable) get(ctx context.Context, services []any) (*object.Object, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byName != nil && mesh.Identical(t.of, services) {
		return t.byName, nil
	}
	r := document.NewReader(ctx)
	byName := object.New(len(services))
	for _, s := range services {
		if name := metadataName(r, s); !byName.Has(name) {
			byName.Set(name, s)
		}
	}
	if r.Err == nil {
		t.of, t.byName = services, byName
	}
	return byName, r.Err
}

// metadataName returns "name.namespace" of a Kubernetes object.
func metadataName(r *document.Reader, o any) string {
	return r.Text(o, "metadata", "name") + "." + r.Text(o, "metadata", "namespace")
}

// list returns a list of the mesh. If the list can't be read, it returns the reason
// in why instead of an error.
func (g *registry) list(name string) (all []any, why string, err error) {
	if g.tracer.document == nil {
		return nil, "the mesh is not known", nil
	}
	r := document.NewReader(g.ctx)
	all = r.List(g.tracer.document(), name)
	g.fault = nil
	if r.Err != nil && g.ctx.Err() == nil {
		errors.As(r.Err, &g.fault)
		return nil, r.Err.Error(), nil
	}
	return all, "", r.Err
}

// service returns the service to which a host refers, for a workload of a
// namespace. The host is the service's name alone, or a name in Kubernetes' DNS. If
// there is no such service, why contains the reason.
func (g *registry) service(host, namespace string) (service any, name, why string, err error) {
	all, why, err := g.list("services")
	if err != nil || why != "" {
		return nil, "", why, err
	}
	byName, err := g.tracer.services.get(g.ctx, all)
	if err != nil {
		return nil, "", "", err
	}
	words := strings.SplitN(host, ".", 3)
	name = words[0] + "." + namespace
	if len(words) > 1 {
		name = words[0] + "." + words[1]
	}
	inDNS := len(words) < 3 || words[2] == "svc" || strings.HasPrefix(words[2], "svc.")
	if s := byName.Get(name); s != nil && inDNS {
		return s, name, "", nil
	}
	return nil, "", "no Kubernetes Service", nil
}

// targetPort returns the port of a proxy that a port of its service maps to, and
// the service's name. It returns 0 if no service of the proxy has the port, or if
// the services can't be read.
func (g *registry) targetPort(proxy *mesh.Object, servicePort int, unsure func(...string)) (port int, service string, err error) {
	all, _, err := g.list("services")
	if err != nil || g.fault != nil {
		return 0, "", err
	}
	r := document.NewReader(g.ctx)
	namespace, labels := r.Text(proxy, "namespace"), r.Object(proxy, "labels")
	for _, s := range all {
		if r.Text(s, "metadata", "namespace") != namespace {
			continue
		}
		selector := r.Object(s, "spec", "selector")
		if fits, err := selects(g.ctx, selector, labels); err != nil {
			return 0, "", err
		} else if !fits || selector.Len() == 0 {
			continue
		}
		for _, p := range r.List(s, "spec", "ports") {
			if r.Number(p, "port") != servicePort {
				continue
			}
			switch target := r.Force(r.Get(p, "targetPort")).(type) {
			case int:
				port = target
			case nil:
				port = servicePort
			default:
				unsure("the Service's named target port")
				continue
			}
			return port, metadataName(r, s), r.Err
		}
	}
	return 0, "", r.Err
}

// selects reports whether labels contain all members of a selector.
func selects(ctx context.Context, selector, labels *object.Object) (bool, error) {
	for k, want := range selector.All() {
		if same, err := routing.Same(ctx, labels.Get(k), want); err != nil || !same {
			return false, err
		}
	}
	return true, nil
}

// gateway returns the Istio Gateway that a host of a gateway proxy comes from, as
// "gateway/name.namespace". Among the Gateways for the proxy that have a server
// with one of the ports, it is the one with the most specific host. gateway returns
// an empty string if there is none.
func (g *registry) gateway(proxy *mesh.Object, host string, ports ...int) (string, error) {
	all, _, err := g.list("gateways")
	if err != nil {
		return "", err
	}
	r := document.NewReader(g.ctx)
	labels := r.Object(proxy, "labels")
	host, _, _ = strings.Cut(strings.ToLower(host), ":")
	best, found := -1, ""
	for _, one := range all {
		if fits, err := selects(g.ctx, r.Object(one, "spec", "selector"), labels); err != nil {
			return "", err
		} else if !fits {
			continue
		}
		for _, s := range r.List(one, "spec", "servers") {
			if !slices.Contains(ports, r.Number(s, "port", "number")) {
				continue
			}
			for _, h := range r.List(s, "hosts") {
				domain, _ := h.(string)
				if n := hostRank(domain, host); n > best && r.Err == nil {
					best, found = n, "gateway/"+metadataName(r, one)
				}
			}
		}
	}
	return found, r.Err
}

// hostRank returns how specific a host of a Gateway is for a request's host, or -1
// if it doesn't match. It ignores a namespace before the host, as in
// "shop/*.example.com".
func hostRank(domain, host string) int {
	if _, after, ok := strings.Cut(domain, "/"); ok {
		domain = after
	}
	switch {
	case domain == host:
		return 1 << 10
	case domain == "*", strings.HasPrefix(domain, "*") && strings.HasSuffix(host, domain[1:]):
		return len(domain)
	}
	return -1
}

// proxyAt returns the Envoy that has an address, or nil if there is none.
func proxyAt(r *document.Reader, proxies []any, ip string) *mesh.Object {
	if ip == "" {
		return nil
	}
	for _, p := range proxies {
		o, ok := p.(*mesh.Object)
		if ok && slices.Contains(r.List(o, "ips"), any(ip)) && r.Text(o, "type") != mesh.ZTunnel && r.Err == nil {
			return o
		}
	}
	return nil
}
