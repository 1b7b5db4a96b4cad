package trace

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/query/document"
	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/query/request"
	"github.com/meshq/kubectl-meshq/query/routing"
	"github.com/meshq/kubectl-meshq/query/ztunnel"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// TraceFrom implements traceFrom(name; request): a trace from a proxy, or else from
// a workload that a ztunnel knows. The name is one of a proxy, or the name or the
// address of a workload.
func (t *Tracer) TraceFrom(c *eval.Call, yield func(any) error) error {
	name, ok := c.Args[0].(string)
	if !ok {
		return fmt.Errorf("the name of a proxy or workload is a string, not %s", document.TypeName(c.Args[0]))
	}
	q, err := parseQuestion(c.Ctx, c.Args[1])
	if err != nil {
		return err
	}
	proxies, ok, err := document.ProxiesOf(c.Ctx, c.In)
	if err != nil {
		return err
	}
	if !ok {
		return errors.New("traceFrom takes a mesh or an array of proxies")
	}
	if proxies.Named(name) != nil {
		proxy, note, err := proxies.One(name)
		if err != nil {
			return err
		}
		if note != "" && c.Note != nil {
			c.Note(note)
		}
		return t.traceFrom(c, proxy, q, yield)
	}
	g := registry{tracer: t, ctx: c.Ctx}
	v, note, fault, err := g.workloadNamed(document.NewReader(c.Ctx), name)
	if err != nil {
		return err
	}
	if v == nil {
		_, _, err := proxies.One(name)
		if fault != nil {
			c.Fault(fault)
			err = fmt.Errorf("%w among the proxies; workloads could not all be read: %s", err, fault.Error())
		}
		return err
	}
	if note != "" && c.Note != nil {
		c.Note(note)
	}
	return t.traceFrom(c, v, q, yield)
}

// Workload implements workload(name): the workload that has a name or an address, if a
// ztunnel of the mesh knows one.
func (t *Tracer) Workload(c *eval.Call, yield func(any) error) error {
	name, ok := c.Args[0].(string)
	if !ok {
		return fmt.Errorf("the name of a workload is a string, not %s", document.TypeName(c.Args[0]))
	}
	g := registry{tracer: t, ctx: c.Ctx}
	v, note, fault, err := g.workloadNamed(document.NewReader(c.Ctx), name)
	switch {
	case err != nil:
		return err
	case v == nil && fault != nil:
		return fault
	case v == nil:
		return nil
	}
	if note != "" && c.Note != nil {
		c.Note(note)
	}
	return yield(v)
}

// ztunnels returns the ztunnels of the mesh.
func (g *registry) ztunnels(r *document.Reader) (all []*mesh.Object, err error) {
	proxies, _, err := g.list("proxies")
	if err != nil {
		return nil, err
	}
	if g.fault != nil {
		return nil, g.fault
	}
	for _, p := range proxies {
		if o, ok := p.(*mesh.Object); ok && r.Text(o, "type") == mesh.ZTunnel {
			all = append(all, o)
		}
	}
	return all, r.Err
}

// eachZTunnel calls f for the workloads of each ztunnel until f returns true. A
// ztunnel that can't be read is skipped: each knows all workloads of the mesh. fault
// is that of the first ztunnel that was skipped.
func (g *registry) eachZTunnel(f func(z *mesh.Object, workloads []any) bool) (fault *mesh.Fault, err error) {
	all, err := g.ztunnels(document.NewReader(g.ctx))
	if err != nil {
		return nil, err
	}
	for _, z := range all {
		r := document.NewReader(g.ctx)
		workloads := r.List(z, "workloads")
		var unread *mesh.Fault
		if g.ctx.Err() == nil && errors.As(r.Err, &unread) {
			if fault == nil {
				fault = unread
			}
			continue
		}
		if r.Err != nil {
			return fault, r.Err
		}
		if f(z, workloads) {
			break
		}
	}
	return fault, nil
}

// workloadNamed returns the workload of a name or an address, or nil if no ztunnel
// that was read knows it. note says which of several was chosen, and fault why a
// ztunnel could not be read.
func (g *registry) workloadNamed(r *document.Reader, name string) (workload any, note string, fault *mesh.Fault, err error) {
	var several []string
	addr, addrErr := netip.ParseAddr(name)
	fault, err = g.eachZTunnel(func(_ *mesh.Object, workloads []any) bool {
		var names []mesh.Name
		for _, v := range workloads {
			w := ztunnel.ReadWorkload(r, v)
			if addrErr == nil && slices.Contains(w.IPs, addr.Unmap()) {
				workload = v
				return true
			}
			names = append(names, mesh.Name{ID: w.ID(), Pod: w.Name, Namespace: w.Namespace, Workload: w.WorkloadName, ClusterID: w.ClusterID})
		}
		at := mesh.Pick(name, names)
		for i, n := range at {
			if names[n].Workload != names[at[0]].Workload || names[n].Namespace != names[at[0]].Namespace || names[n].Workload == "" && i > 0 {
				for _, n := range at {
					several = append(several, names[n].ID)
				}
				return true
			}
		}
		if len(at) > 0 {
			workload = workloads[at[0]]
			if len(at) > 1 {
				note = fmt.Sprintf("%s is %d workloads; this is the first, %s", name, len(at), names[at[0]].ID)
			}
		}
		return workload != nil
	})
	if err == nil {
		err = r.Err
	}
	if several != nil {
		err = fmt.Errorf("%s is %d workloads: %s", name, len(several), strings.Join(several, ", "))
	}
	return workload, note, fault, err
}

// ambient is the part of a walk that a ztunnel decides.
type ambient struct{ *walk }

// fromWorkload starts a walk at a workload of the document. If the workload has a
// sidecar, the walk begins there.
func (w ambient) fromWorkload(v any) error {
	r := w.reader()
	w.source = ztunnel.ReadWorkload(r, v)
	proxies, why, err := w.registry.list("proxies")
	if err != nil || r.Err != nil {
		return errors.Join(err, r.Err)
	}
	if why != "" && w.registry.fault != nil {
		return w.endAtFault(w.registry.fault)
	}
	for _, ip := range w.source.IPs {
		if proxy := proxyAt(r, proxies, ip.String()); proxy != nil && r.Err == nil {
			w.proxy, w.source = proxy, nil
			return w.run()
		}
	}
	if r.Err != nil {
		return r.Err
	}
	if w.from != "" {
		if err := w.setSource(); err != nil {
			return err
		}
	}
	w.request = w.Request
	if w.inbound {
		return w.endAtFault(w.acceptInbound(proxies))
	}
	w.kind, w.ip = mesh.ZTunnel, w.source.IP().String()
	w.Source, w.request.Source = w.ip, w.ip
	why = "on " + orNone(w.source.Node, "an unknown node") + ", protocol " + orNone(w.source.Protocol, "unknown")
	if id := w.source.Identity(); id != "" {
		why += ", " + id
	}
	w.addStep(step{what: "workload", name: w.source.ID(), why: why})
	if err := w.endAtFault(w.leave()); err != nil {
		return err
	}
	if w.question.through != justHere && len(w.ends) > 0 {
		return w.enterEndpoints()
	}
	return nil
}

func orNone(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// acceptInbound accepts a connection that arrives at a workload. If the
// destination's host is a service of the workload, the port is one of the service.
func (w ambient) acceptInbound(proxies []any) error {
	ip := w.source.IP()
	if !ip.IsValid() {
		return w.endMissing("the address of "+w.source.ID(), "its ztunnel has none")
	}
	w.Destination = ip.String()
	state, err := w.readZTunnel()
	if err != nil {
		return err
	}
	if state != nil {
		if service := state.ServiceFor(request.Hostname(w.Host), w.source.Namespace); service != nil {
			w.DestinationPort = service.ServicePort(w.DestinationPort)
		}
	}
	w.request = w.Request
	return w.acceptAtNode(proxies, arrival{})
}

// readZTunnel finds the ztunnel of the source's node and reads its state. The state
// is nil, and the walk has ended, if there is none.
func (w ambient) readZTunnel() (*ztunnel.State, error) {
	all, err := w.registry.ztunnels(w.reader())
	if err != nil {
		return nil, err
	}
	w.proxy = atNode(w.reader(), all, w.source.Node)
	if w.source.Protocol != ztunnel.HBONE && !w.inbound { // it has no ztunnel, and each knows the services
		return w.readAny()
	}
	if w.proxy == nil {
		return nil, w.endNoZTunnel(w.source.Node)
	}
	if err := w.addSyncSteps(); err != nil {
		return nil, err
	}
	r := w.reader()
	state := ztunnel.NewState(r, r.List(w.proxy, "workloads"), r.List(w.proxy, "services"))
	if r.Err != nil {
		return nil, r.Err
	}
	return state, nil
}

// readAny reads the state of a ztunnel, for a workload outside of the mesh. The walk
// has no proxy.
func (w ambient) readAny() (state *ztunnel.State, err error) {
	w.proxy = nil
	r := w.reader()
	fault, err := w.registry.eachZTunnel(func(z *mesh.Object, workloads []any) bool {
		services := r.List(z, "services")
		state = ztunnel.NewState(r, workloads, services)
		return true
	})
	if err == nil {
		err = r.Err
	}
	if err == nil && state == nil {
		if fault != nil {
			return nil, w.endAtFault(fault)
		}
		return nil, w.endMissing("services", "no ztunnel is in what was read")
	}
	return state, err
}

// endNoZTunnel ends the walk, because a node's ztunnel isn't known.
func (w ambient) endNoZTunnel(node string) error {
	return w.endMissing("the ztunnel of "+orNone(node, "the workload's node"), "no ztunnel of that node is in what was read")
}

// shortName returns the name of a gateway: "waypoint.shop" for a Kubernetes service,
// else its hostname or address.
func shortName(g *ztunnel.Gateway) string {
	if name, _, ok := strings.Cut(g.Name(), ".svc."); ok {
		return name
	}
	return g.Name()
}

func atNode(r *document.Reader, all []*mesh.Object, node string) *mesh.Object {
	for _, z := range all {
		if node != "" && r.Text(z, "node") == node && r.Err == nil {
			return z
		}
	}
	return nil
}

// leave follows a connection out of its workload: through the ztunnel of the
// workload's node, or directly if the workload isn't in the mesh.
func (w ambient) leave() error {
	state, err := w.readZTunnel()
	if err != nil || state == nil {
		return err
	}
	if own := state.At(w.source.IP(), w.source.Network); own != nil {
		w.source = own
	}
	destinations, err := w.destinations(state)
	if err != nil || destinations == nil {
		return err
	}
	if w.source.Protocol != ztunnel.HBONE {
		w.addStep(step{what: "ztunnel", why: "the workload is not in the mesh, so its connections go directly, without a tunnel and without an identity"})
	}
	for _, to := range destinations {
		if err := w.leaveTo(state, to, 1/float64(len(destinations))); err != nil {
			return err
		}
	}
	if !w.reached() && w.reason == "" {
		w.reason = routing.NoEndpoints
	}
	return nil
}

// destinations returns the addresses of the request's host. Without an address, it
// ends the walk.
func (w ambient) destinations(state *ztunnel.State) ([]netip.AddrPort, error) {
	host, port := request.Hostname(w.Host), uint16(w.DestinationPort)
	text := w.Destination
	if text == "" {
		text = host
	}
	if ip, err := netip.ParseAddr(text); err == nil {
		w.Destination, w.request.Destination = ip.String(), ip.String()
		return []netip.AddrPort{netip.AddrPortFrom(ip, port)}, nil
	}
	if host == "" {
		return nil, w.endMissing("the destination's address", "the request has no host")
	}
	service := state.ServiceFor(host, w.source.Namespace)
	if service == nil {
		w.addStep(step{what: "service", name: host, why: "the ztunnel knows no such service"})
		return nil, w.passNameThrough(host)
	}
	var out []netip.AddrPort
	var texts []string
	for _, ip := range state.Addresses(service, w.source.Network) {
		out = append(out, netip.AddrPortFrom(ip, port))
		texts = append(texts, ip.String())
	}
	if len(service.Addresses(w.source.Network)) > 0 { // the client takes the first address of a service
		out, texts = out[:1], texts[:1]
	}
	if out == nil {
		w.addStep(step{what: "service", name: service.ID(), why: "it has no address in the mesh"})
		return nil, w.passNameThrough(host)
	}
	w.addStep(step{what: "service", name: service.ID(), why: strings.Join(texts, ", ")})
	if len(out) == 1 {
		w.Destination, w.request.Destination = texts[0], texts[0]
	}
	return out, nil
}

// passNameThrough ends the walk at a name that only other DNS servers resolve. The
// ztunnel passes the connection on unchanged.
func (w ambient) passNameThrough(host string) error {
	w.unsure("the address of " + host + " (DNS resolves it outside of the mesh)")
	m := unlistedEndpoint("", "", w.DestinationPort, 1)
	w.endpoints, w.left = append(w.endpoints, m), 1
	w.addOutcome(passthrough, 1)
	return w.end(passthrough)
}

// leaveTo follows a share of the connections to an address.
func (w ambient) leaveTo(state *ztunnel.State, to netip.AddrPort, share float64) error {
	out := w.decide(state, to)
	w.unsure(out.Unknown...)
	if out.Service != nil {
		if err := w.addUnusedWaypoint(out.Service); err != nil {
			return err
		}
	}
	if out.Passthrough {
		w.addStep(step{what: "ztunnel", why: "it knows nothing at " + to.Addr().String() + ", and passes the connection on"})
	}
	gateways := map[*ztunnel.Gateway]bool{}
	before := w.left
	for _, h := range out.Hops {
		h.Share *= share
		if h.Waypoint != nil && !gateways[h.Waypoint] {
			gateways[h.Waypoint] = true
			w.addStep(step{what: "waypoint", name: shortName(h.Waypoint), why: "the ztunnel sends the connection to it"})
		}
		w.addHop(h, out.Passthrough)
	}
	if out.Why != "" {
		w.addStep(step{what: "endpoints", why: out.Why})
		w.addOutcome(routing.NoEndpoints, share-(w.left-before))
		if w.reason == "" && !w.reached() {
			w.reason = routing.NoEndpoints
		}
	}
	return nil
}

// decide returns where the connection goes. A workload outside of the mesh has no
// ztunnel: its connections go to an endpoint of the service, never to a waypoint.
func (w ambient) decide(state *ztunnel.State, to netip.AddrPort) ztunnel.Outbound {
	if w.source.Protocol == ztunnel.HBONE {
		return state.Outbound(w.source, to)
	}
	return state.Direct(w.source, to)
}

// addHop adds the endpoint to which a ztunnel sends a share of the connections.
func (w ambient) addHop(h ztunnel.Hop, passes bool) {
	address, ip, port := "", "", 0
	at := h.To
	if h.Waypoint == nil && h.Tunnel.IsValid() && !at.Addr().IsValid() {
		at = h.Tunnel
	}
	if at.Addr().IsValid() {
		ip, port = at.Addr().String(), int(at.Port())
		address = at.String()
	}
	m := unlistedEndpoint(address, ip, port, h.Share)
	e := end{endpoint: m, share: h.Share, beyond: h.Beyond}
	if h.Workload != nil {
		m.Set("workload", h.Workload.ID())
		m.Set("health", "HEALTHY") // a ztunnel keeps only the endpoints that a service uses
	}
	if h.Tunnel.IsValid() {
		e.tunnel = h.Tunnel.String()
		m.Set("tunnel", e.tunnel)
		m.Set("transport", "hbone")
	}
	if h.Waypoint != nil {
		e.waypoint = shortName(h.Waypoint)
		m.Set("workload", h.Workload.ID())
	}
	if passes {
		e.reason, w.reason = passthrough, passthrough
	}
	if what, why, _ := strings.Cut(strings.TrimSuffix(h.Beyond, ")"), " ("); h.Beyond != "" {
		w.addMissing(w.proxy, unknown{what, why})
	}
	w.endpoints = append(w.endpoints, m)
	w.left += h.Share
	w.ends = append(w.ends, e)
	if h.Beyond != "" {
		w.addOutcome(notKnown, h.Share)
	} else {
		w.addOutcome(e.reason, h.Share)
	}
}

// These are the labels that bind services and workloads to waypoints.
const (
	useWaypoint = "istio.io/use-waypoint"
	waypointFor = "istio.io/waypoint-for"
)

// addUnusedWaypoint adds a step if a service or its namespace is labelled for a
// waypoint that the ztunnel was not told to use for the service.
func (w ambient) addUnusedWaypoint(s *ztunnel.Service) error {
	if s.HasWaypoint() {
		return nil
	}
	name, namespace, err := w.boundWaypoint(s)
	if err != nil || name == "" {
		return err
	}
	why, err := w.whyUnbound(name, namespace)
	if err != nil {
		return err
	}
	w.addStep(step{what: "waypoint", name: name + "." + namespace, why: "bypassed: " + why})
	return nil
}

// boundWaypoint returns the waypoint for which a service or its namespace is
// labelled. It is empty without one, or if the objects can't be read: the labels only
// explain what the ztunnel does.
func (w ambient) boundWaypoint(s *ztunnel.Service) (name, namespace string, err error) {
	r := w.reader()
	for _, place := range []struct{ list, name, namespace string }{
		{"services", s.Name, s.Namespace}, {"serviceEntries", s.Name, s.Namespace}, {"namespaces", s.Namespace, ""},
	} {
		all, _, err := w.registry.list(place.list)
		if err != nil {
			return "", "", err
		}
		for _, o := range all {
			if r.Text(o, "metadata", "name") != place.name || place.namespace != "" && r.Text(o, "metadata", "namespace") != place.namespace {
				continue
			}
			labels := r.Object(o, "metadata", "labels")
			if name := labels.Text(useWaypoint); name != "" {
				if name == "none" {
					return "", "", nil
				}
				return name, orNone(labels.Text(useWaypoint+"-namespace"), s.Namespace), r.Err
			}
		}
	}
	return "", "", r.Err
}

// whyUnbound returns the reason why a waypoint serves no services, or an empty text
// if it isn't known.
func (w ambient) whyUnbound(name, namespace string) (string, error) {
	all, why, err := w.registry.list("kubeGateways")
	if err != nil || why != "" {
		return "it is not known why", err
	}
	r := w.reader()
	for _, o := range all {
		if metadataName(r, o) != name+"."+namespace {
			continue
		}
		switch purpose := r.Object(o, "metadata", "labels").Text(waypointFor); purpose {
		case "", "service", "all":
			return "istiod has not told this ztunnel to use it", r.Err
		default:
			return "its label " + waypointFor + " is " + purpose, r.Err
		}
	}
	return "there is no Gateway of that name", r.Err
}
