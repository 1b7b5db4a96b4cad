package library

import (
	"slices"

	"github.com/meshq/kubectl-meshq/query/routing"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// atNode is the end of a tunnel at the ztunnel of the workload's node. It
// knows the workload, and the policies of connections that are in force for
// it; a ztunnel looks at no request. Where that ztunnel isn't known the walk
// has no proxy, and why is told.
func (w *walk) atNode(all []any, unsure func(...string)) error {
	var found any
	for _, p := range all {
		o, ok := p.(*mesh.Object)
		if !ok {
			continue
		}
		if kind, err := get[string](w.ctx, o, "type"); err != nil || kind != mesh.ZTunnel {
			if err != nil {
				return err
			}
			continue
		}
		node, err := get[string](w.ctx, o, "node")
		if err != nil {
			return err
		}
		if found == nil { // every ztunnel knows all workloads
			if found, err = w.workloadAt(o); err != nil || found == nil {
				return err
			}
		}
		at, err := get[string](w.ctx, found, "node")
		if err != nil {
			return err
		}
		if w.proxy == nil || at == node {
			w.proxy = o
		}
		if at == node {
			break
		}
	}
	if w.proxy == nil {
		unsure("the ztunnel of " + w.address())
		return nil
	}
	return w.guarded(found)
}

// workloadAt gives the workload of the destination's address, as a ztunnel
// knows it; nil where it doesn't.
func (w *walk) workloadAt(ztunnel *mesh.Object) (any, error) {
	some, err := mesh.Get(w.ctx, ztunnel, "workloads")
	if err != nil {
		return nil, err
	}
	workloads, err := forced(w.ctx, some)
	if err != nil {
		return nil, err
	}
	for _, v := range workloads {
		ips, err := get[[]any](w.ctx, v, "workloadIps")
		if err != nil {
			return nil, err
		}
		if slices.Contains(ips, any(w.Destination)) {
			return v, nil
		}
	}
	return nil, nil
}

// guarded asks the ztunnel's policies, and ends at the workload.
func (w *walk) guarded(workload any) error {
	w.kind, w.request = mesh.ZTunnel, w.Request
	name, err := get[string](w.ctx, workload, "name")
	if err != nil {
		return err
	}
	namespace, err := get[string](w.ctx, workload, "namespace")
	if err != nil {
		return err
	}
	protocol, err := get[string](w.ctx, workload, "protocol")
	if err != nil {
		return err
	}
	w.took(step{what: "workload", name: name + "." + namespace, why: "protocol " + protocol})
	section, err := mesh.Get(w.ctx, w.proxy, "policies")
	if err != nil {
		return err
	}
	policies, err := forced(w.ctx, section)
	if err != nil {
		return err
	}
	verdicts, err := routing.Connection(w.ctx, policies, workload, w.Request)
	if err != nil {
		return err
	}
	for i := range verdicts {
		verdicts[i].Filter = "ztunnel"
	}
	if w.pass(&routing.Passed{Verdicts: verdicts}, 0) {
		return nil
	}
	w.endpoints = append(w.endpoints, object.Of(
		"address", w.address(), "ip", w.Destination, "port", w.DestinationPort, "cluster", nil, "share", 1.0, "health", "UNKNOWN",
		"outlier", nil, "weight", 1, "priority", 0, "locality", nil, "workload", name+"."+namespace, "transport", nil, "tunnel", nil,
	))
	w.left = 1
	return nil
}
