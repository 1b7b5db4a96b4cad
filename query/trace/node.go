package trace

import (
	"net/netip"
	"slices"

	"github.com/meshq/kubectl-meshq/query/routing"
	"github.com/meshq/kubectl-meshq/query/ztunnel"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// arrival is how a connection comes to the ztunnel of a workload.
type arrival struct {
	from     *walk  // the walk of the proxy or workload before; nil if the trace begins here
	workload string // the workload's name.namespace, if it is known
}

// acceptAtNode accepts a connection at the ztunnel of its workload's node, in a
// tunnel or as plain text. A ztunnel applies policies to connections, and doesn't
// parse requests. It is judged by its own data.
//
// The walk has no proxy, and has not ended, if no ztunnel knows the address: the
// endpoint is outside of the ambient mesh. If the ztunnel can't be determined, the
// walk ends as unknown.
func (w ambient) acceptAtNode(proxies []any, how arrival) error {
	w.kind, w.request = mesh.ZTunnel, w.Request
	ip, err := netip.ParseAddr(w.Destination)
	if err != nil {
		if !w.Tunnelled {
			return nil
		}
		return w.endMissing("the workload at the end of the tunnel", "its address is not known")
	}
	r := w.reader()
	if !slices.ContainsFunc(proxies, func(p any) bool { return r.Text(p, "type") == mesh.ZTunnel }) || r.Err != nil {
		if r.Err == nil && w.Tunnelled {
			return w.endMissing("the ztunnel of "+w.address(), "no ztunnel is in what was read")
		}
		return r.Err
	}
	var known *ztunnel.Workload
	fault, err := w.registry.eachZTunnel(func(_ *mesh.Object, workloads []any) bool {
		for _, v := range workloads {
			if addresses := r.List(v, "workloadIps"); !slices.Contains(addresses, any(w.Destination)) {
				continue
			}
			if one := ztunnel.ReadWorkload(r, v); known == nil || known.NetworkMode == "HostNetwork" {
				known = one
			}
		}
		return known != nil
	})
	if err == nil {
		err = r.Err
	}
	if err != nil {
		return err
	}
	switch {
	case known == nil && fault != nil:
		return w.endAtFault(fault)
	case known == nil && w.Tunnelled:
		return w.endMissing("the ztunnel of "+w.address(), "no ztunnel knows a workload of that address")
	case known == nil, known.Protocol != ztunnel.HBONE && !w.Tunnelled: // the connection doesn't pass a ztunnel
		return nil
	}
	all, err := w.registry.ztunnels(r)
	if err != nil {
		return err
	}
	if w.proxy = atNode(r, all, known.Node); w.proxy == nil {
		return w.endNoZTunnel(known.Node)
	}
	if err := w.addSyncSteps(); err != nil {
		return err
	}
	return w.acceptByPolicies(ip, known.ID(), how)
}

// acceptByPolicies decides a connection to a workload by the data of its own node's
// ztunnel.
func (w ambient) acceptByPolicies(ip netip.Addr, id string, how arrival) error {
	r := w.reader()
	state := ztunnel.NewState(r, r.List(w.proxy, "workloads"), r.List(w.proxy, "services"))
	policies := r.List(w.proxy, "policies")
	if r.Err != nil {
		return r.Err
	}
	network := ""
	if at := slices.IndexFunc(state.Workloads(), func(o *ztunnel.Workload) bool { return o.ID() == id && slices.Contains(o.IPs, ip) }); at >= 0 {
		network = state.Workloads()[at].Network
	}
	own := state.At(ip, network)
	if own == nil {
		w.addStep(step{what: "workload", name: id, why: "the ztunnel of its node, " + idOf(w.proxy) + ", does not know it, and so refuses the connection"})
		return w.end(noWorkload)
	}
	why := "protocol " + own.Protocol
	if !w.Tunnelled {
		why += "; the connection comes without a tunnel, and so without an identity"
	}
	w.addStep(step{what: "workload", name: own.ID(), why: why})
	w.addBypassed(state, own, how)
	source, _ := netip.ParseAddr(w.Source)
	decided := ztunnel.Authorize(r, policies, own.Value, ztunnel.Connection{
		Source: source.Unmap(), Destination: ip, Port: w.DestinationPort, Identity: w.tunnelIdentity(),
		IdentityUnknown: w.Tunnelled && w.Principal == "" && !w.NoCertificate,
	})
	if r.Err != nil {
		return r.Err
	}
	for _, key := range decided.Skipped {
		w.addStep(step{what: "policy", name: key, why: "the workload refers to it, and the ztunnel does not have it: it is skipped"})
	}
	if w.endInFilters(&routing.Passed{Verdicts: verdictsOf(decided.Verdicts)}, 0) {
		return nil
	}
	for _, v := range decided.Verdicts {
		if v.Unknown != "" && !v.DryRun {
			return w.endMissing("policies", "what "+v.Namespace+"/"+v.Name+" decides depends on "+v.Unknown+", which is not known")
		}
	}
	m := unlistedEndpoint(w.address(), w.Destination, w.DestinationPort, 1)
	m.Set("workload", own.ID())
	w.endpoints = append(w.endpoints, m)
	w.left = 1
	return nil
}

// tunnelIdentity returns the identity in the certificate of the tunnel. A ztunnel
// doesn't look into TLS inside the connection.
func (w ambient) tunnelIdentity() string {
	if w.Tunnelled {
		return w.Principal
	}
	return ""
}

// verdictsOf converts the verdicts of a ztunnel's policies to those of RBAC filters.
// Their names have the form that istiod gives to the policies of an Envoy.
func verdictsOf(all []ztunnel.Verdict) (out []routing.Verdict) {
	for _, v := range all {
		one := routing.Verdict{Filter: "ztunnel", Action: v.Action, Denied: v.Denied, Shadow: v.DryRun, Unknown: v.Unknown}
		if v.Name != "" {
			one.Policy = "ns[" + v.Namespace + "]-policy[" + v.Name + "]"
		}
		out = append(out, one)
	}
	return out
}

// addBypassed adds a step if a connection to a workload didn't pass the waypoint of
// the workload or of one of its services.
func (w ambient) addBypassed(state *ztunnel.State, own *ztunnel.Workload, how arrival) {
	if how.from != nil && how.from.kind == waypoint {
		return
	}
	gateway, of := own.Waypoint, "the workload"
	for _, key := range own.Services {
		if s := state.ServiceNamed(key); s != nil && gateway == nil && s.HasWaypoint() {
			gateway, of = s.Waypoint, "its service "+s.ID()
		}
	}
	if gateway == nil {
		return
	}
	why := ""
	switch from := how.from; {
	case from == nil && !w.Tunnelled:
		why = "the connection comes from outside of the mesh"
	case from == nil:
		why = "the trace begins at the workload"
	case from.source != nil && from.source.Protocol != ztunnel.HBONE:
		why = "the client " + from.source.ID() + " is not in the mesh"
	case from.source != nil:
		why = "the connection is addressed to the workload, and the waypoint is for services (" + waypointFor + ": service)"
	case from.kind == "router":
		why = "a gateway uses a waypoint only for a service with the label istio.io/ingress-use-waypoint"
	default:
		why = idOf(from.proxy) + " has the workload as its endpoint, not the waypoint"
	}
	w.addStep(step{what: "waypoint", name: shortName(gateway), why: "bypassed, though " + of + " has it: " + why})
}

// setSourceWorkload reads the origin of a request that is a workload of a ztunnel.
// It returns false if no ztunnel knows the workload.
func (w ambient) setSourceWorkload() (bool, error) {
	r := w.reader()
	v, _, fault, err := w.registry.workloadNamed(r, w.from)
	if err != nil {
		return false, err
	}
	if v == nil {
		if fault != nil {
			w.notifyOf(fault)
		}
		return false, nil
	}
	source := ztunnel.ReadWorkload(r, v)
	if ip := source.IP(); ip.IsValid() {
		w.Source = ip.String()
	}
	if source.Protocol == ztunnel.HBONE {
		w.Tunnelled, w.hasCertificate = w.inbound, true
		if w.Principal == "" {
			w.Principal = source.Identity()
		}
	}
	return true, r.Err
}
