package library

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"sync"

	"github.com/meshq/kubectl-meshq/query/routing"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// serviceNames finds the services of the mesh by name. It keeps the table of
// the list that it was asked for last.
type serviceNames struct {
	mu    sync.Mutex
	of    []any
	table *object.Object // by name.namespace
}

// tableOf gives the table of a list of services.
func (n *serviceNames) tableOf(ctx context.Context, all []any) (*object.Object, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.table != nil && mesh.Identical(n.of, all) {
		return n.table, nil
	}
	table := object.New(len(all))
	for _, s := range all {
		name, namespace, err := metaName(ctx, s)
		if err != nil {
			return nil, err
		}
		if key := name + "." + namespace; table.Get(key) == nil {
			table.Set(key, s)
		}
	}
	n.of, n.table = all, table
	return table, nil
}

func metaName(ctx context.Context, o any) (name, namespace string, err error) {
	meta, err := mesh.Get(ctx, o, "metadata")
	if err != nil {
		return "", "", err
	}
	if name, err = get[string](ctx, meta, "name"); err != nil {
		return "", "", err
	}
	namespace, err = get[string](ctx, meta, "namespace")
	return name, namespace, err
}

// section gives a list of the mesh; why says what keeps it from being had,
// which is no error: the walk says what it hangs on.
func (w *walk) section(name string) (all []any, why string, err error) {
	if w.doors.Document == nil {
		return nil, "there is no mesh around the proxy", nil
	}
	v, err := mesh.Get(w.ctx, w.doors.Document(), name)
	if err == nil {
		all, err = forced(w.ctx, v)
	}
	w.unlisted = nil
	if err != nil && w.ctx.Err() == nil {
		errors.As(err, &w.unlisted)
		return nil, err.Error(), nil
	}
	return all, "", err
}

func forced(ctx context.Context, v any) ([]any, error) {
	v, err := mesh.Force(ctx, v)
	all, _ := v.([]any)
	return all, err
}

// resolve finds the address that the request's host stands for, once: it is
// one, or a service's.
func (w *walk) resolve() error {
	if w.resolved || w.Destination != "" {
		return nil
	}
	w.resolved = true
	host := w.Host
	if u, err := url.Parse("//" + host); err == nil {
		host = u.Hostname()
	}
	if host == "" {
		w.unknown = "the destination's address"
		return nil
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		w.Destination = addr.String()
		return nil
	}
	service, name, why, err := w.service(strings.ToLower(strings.TrimSuffix(host, ".")))
	if err != nil {
		return err
	}
	if why != "" {
		w.unknown = fmt.Sprintf("the address of %s (%s)", host, why)
		return nil
	}
	spec, err := mesh.Get(w.ctx, service, "spec")
	if err != nil {
		return err
	}
	ip, err := get[string](w.ctx, spec, "clusterIP")
	if err != nil {
		return err
	}
	if _, err := netip.ParseAddr(ip); err != nil { // headless, or a name elsewhere
		w.unknown = fmt.Sprintf("the address of %s (a service without one)", host)
		return nil
	}
	w.Destination = ip
	w.took(step{what: "service", name: name, why: ip})
	return nil
}

// service finds the service that a host means to the proxy's workload: by its
// name alone in the workload's namespace, or with that of another.
func (w *walk) service(host string) (service any, name, why string, err error) {
	all, why, err := w.section("services")
	w.listless = w.unlisted
	if err != nil || why != "" {
		return nil, "", why, err
	}
	table, err := w.names.tableOf(w.ctx, all)
	if err != nil {
		return nil, "", "", err
	}
	own, err := get[string](w.ctx, w.proxy, "namespace")
	if err != nil {
		return nil, "", "", err
	}
	words := strings.SplitN(host, ".", 3)
	names := []string{words[0] + "." + own}
	if len(words) > 1 {
		names = []string{words[0] + "." + words[1]}
		if len(words) == 3 && words[2] != "svc" && !strings.HasPrefix(words[2], "svc.") {
			return nil, "", "no Kubernetes Service", nil
		}
	}
	for _, n := range names {
		if s := table.Get(n); s != nil {
			return s, n, "", nil
		}
	}
	return nil, "", "no Kubernetes Service", nil
}

// targetPort gives the port of the proxy that its service's port leads to; 0
// where no service of it has the port, or where the services can't be read.
func (w *walk) targetPort() (port int, service string, err error) {
	all, _, err := w.section("services")
	if err != nil || w.unlisted != nil {
		return 0, "", err
	}
	namespace, err := get[string](w.ctx, w.proxy, "namespace")
	if err != nil {
		return 0, "", err
	}
	labels, err := get[*object.Object](w.ctx, w.proxy, "labels")
	if err != nil {
		return 0, "", err
	}
	for _, s := range all {
		name, ns, err := metaName(w.ctx, s)
		if err != nil {
			return 0, "", err
		}
		if ns != namespace {
			continue
		}
		spec, err := mesh.Get(w.ctx, s, "spec")
		if err != nil {
			return 0, "", err
		}
		selector, err := get[*object.Object](w.ctx, spec, "selector")
		if err != nil {
			return 0, "", err
		}
		if fits, err := w.selects(selector, labels); err != nil || !fits {
			if err != nil {
				return 0, "", err
			}
			continue
		}
		if port, err := w.portOf(spec); err != nil || port != 0 {
			return port, name + "." + ns, err
		}
	}
	return 0, "", nil
}

// selects tells whether a selector, which is not empty, fits labels.
func (w *walk) selects(selector, labels *object.Object) (bool, error) {
	for k, want := range selector.All() {
		if same, err := routing.Same(w.ctx, labels.Get(k), want); err != nil || !same {
			return false, err
		}
	}
	return selector.Len() > 0, nil
}

// portOf gives where a service leads the request's port to.
func (w *walk) portOf(spec any) (int, error) {
	ports, err := get[[]any](w.ctx, spec, "ports")
	if err != nil {
		return 0, err
	}
	for _, p := range ports {
		n, err := get[int](w.ctx, p, "port")
		if err != nil {
			return 0, err
		}
		if n != w.DestinationPort {
			continue
		}
		target, err := mesh.Get(w.ctx, p, "targetPort")
		if err != nil {
			return 0, err
		}
		if target, err = mesh.Force(w.ctx, target); err != nil {
			return 0, err
		}
		switch t := target.(type) {
		case int:
			return t, nil
		case nil:
			return n, nil
		}
		w.unsure("the service's target port by name")
	}
	return 0, nil
}
