package trace

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/query/request"
	"github.com/meshq/kubectl-meshq/query/routing"
	"github.com/meshq/kubectl-meshq/query/ztunnel"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// walk follows one request on its way through one proxy.
type walk struct {
	configuration
	question
	report
	registry registry

	kind    string          // the proxy's type: sidecar, router, waypoint or ztunnel
	ip      string          // the proxy's address
	request routing.Request // the request as the proxy forwards it to the cluster

	servicePort int  // the port that the client connected to, if a service maps it to another port
	alpn        bool // whether Istio's ALPN filter announces the protocol to the next proxy
	ends        []end
	visited     map[*mesh.Object]bool // proxies that the request has already passed through

	resolved      bool        // whether the destination's address has already been looked up
	noAddress     string      // the reason why the destination's address is not known
	servicesFault *mesh.Fault // the reason why the services could not be listed to find that address
	identityFault *mesh.Fault // the reason why the client's identity could not be read

	source *ztunnel.Workload // the workload at which the walk begins; nil if it begins at an Envoy

	// The next fields are about tunnels and about the proxy's internal listeners.
	isTunnel    bool            // the walk follows the tunnel's own CONNECT request, and ends at the internal listener
	opensTunnel bool            // the request continues inside a tunnel
	metadata    any             // metadata that a cluster of the same proxy attached to the connection
	visitedIn   map[string]bool // internal listeners that the request has passed through
	outer       []string        // internal listeners that the connection passed through before this walk
	stopped     string          // the reason why an internal listener leads nowhere
}

// end is an endpoint that the request reaches.
type end struct {
	endpoint *object.Object
	tls      any // UpstreamTlsContext of the connection; nil for plain text
	share    float64
	reason   string // the reason passthrough if the endpoint is outside the mesh
	tunnel   string // the address at which the request's tunnel ends, "10.0.0.7:15008"; empty without a tunnel
	waypoint string // the name of the waypoint at which a ztunnel's tunnel ends; empty without one
	beyond   string // the part of the way after the endpoint that isn't known
}

// Trace implements trace(request). It yields a Trace for the input, which is a
// proxy, or for each proxy in an array.
func (t *Tracer) Trace(c *eval.Call, yield func(any) error) error {
	q, err := parseQuestion(c.Ctx, c.Args[0])
	if err != nil {
		return err
	}
	all, _, err := inputs(c)
	if err != nil {
		return err
	}
	for _, v := range all {
		if err := t.traceFrom(c, v, q, yield); err != nil {
			return err
		}
	}
	return nil
}

// traceFrom yields the Trace of a request that begins at a proxy or a workload.
func (t *Tracer) traceFrom(c *eval.Call, v any, q question, yield func(any) error) error {
	o, ok := v.(*mesh.Object)
	if !ok || o.Kind != "Proxy" && o.Kind != "Workload" {
		return errors.New("trace begins at a proxy, or at a workload of a ztunnel")
	}
	w := newWalk(t, c.Ctx, o, q, c.Fault)
	var err error
	if o.Kind == "Workload" {
		w.proxy = nil
		err = ambient{w}.fromWorkload(o)
	} else {
		err = w.run()
	}
	if err != nil {
		return err
	}
	out, err := w.result()
	if err != nil {
		return err
	}
	return yield(out)
}

func newWalk(t *Tracer, ctx context.Context, proxy *mesh.Object, q question, notify func(*mesh.Fault)) *walk {
	return &walk{
		configuration: configuration{ctx: ctx, proxy: proxy}, registry: registry{tracer: t, ctx: ctx}, question: q,
		report: report{unknowns: unknowns{notify: notify}}, request: q.Request,
	}
}

// newInner returns a walk for another connection through the same proxy.
func (w *walk) newInner(r routing.Request, hasCertificate bool) *walk {
	inner := newWalk(w.registry.tracer, w.ctx, w.proxy, question{Request: r, hasCertificate: hasCertificate}, w.notify)
	inner.kind, inner.ip, inner.resolved = w.kind, w.ip, true
	return inner
}

// run follows the request through the proxy and, if through is set, into the
// proxies of its endpoints.
func (w *walk) run() error {
	if err := w.begin(); err != nil {
		return err
	}
	if err := w.endAtFault(w.accept()); err != nil {
		return err
	}
	if w.question.through != justHere && w.reached() && w.continues() {
		return w.enterEndpoints()
	}
	return nil
}

// continues reports whether the walk follows the request into an endpoint's proxy.
func (w *walk) continues() bool {
	return w.question.through == throughAll || slices.ContainsFunc(w.ends, w.followsEnd)
}

// followsEnd reports whether the walk follows the request to an endpoint. By default
// an Envoy's request is followed only into tunnels: they name the next proxy.
func (w *walk) followsEnd(e end) bool {
	return w.question.through == throughAll || w.source != nil || e.tunnel != ""
}

// begin reads the proxy's type and address, and completes the request with them.
func (w *walk) begin() error {
	r := w.reader()
	w.kind, w.ip = r.Text(w.proxy, "type"), r.Text(w.proxy, "ip")
	if r.Err != nil {
		return r.Err
	}
	if w.kind == mesh.AgentGateway {
		return fmt.Errorf("trace begins at an Envoy or a workload; %s is an agentgateway, of which only the state at istiod can be read", idOf(w.proxy))
	}
	if w.kind == mesh.ZTunnel {
		return fmt.Errorf("trace begins at a workload; %s is the ztunnel of many: name one of them", idOf(w.proxy))
	}
	if w.from != "" {
		if err := w.setSource(); err != nil {
			return err
		}
	}
	if w.Source == "" && w.isOutbound() {
		w.Source = w.ip
	}
	if w.Destination == "" && w.inbound {
		w.Destination = w.ip
	}
	if w.Destination == "" && w.isOutbound() { // the host in the request may be an IP address
		request.SetAddress(&w.Destination, new(int), request.Hostname(w.Host))
	}
	w.request = w.Request
	return w.addSyncSteps()
}

// addSyncSteps adds steps for the types of configuration for which the proxy hasn't
// accepted istiod's last version. For these types, the walk uses the older version.
func (w *walk) addSyncSteps() error {
	r := w.reader()
	for _, state := range []struct{ word, says string }{
		{mesh.Stale, "was sent newer configuration that it has not acknowledged: the trace follows the older one"},
		{mesh.InError, "rejected the configuration that was sent last: the trace follows the older one"},
	} {
		var types []string
		for _, t := range mesh.SyncTypes() {
			if r.Text(w.proxy, t.Key) == state.word {
				types = append(types, strings.ToUpper(t.Key))
			}
		}
		if len(types) > 0 && r.Err == nil {
			w.addStep(step{what: "proxy", name: state.word, why: w.subject() + " " + state.says + ": " + strings.Join(types, ", ")})
		}
	}
	return r.Err
}

// subject names the walk's proxy in a message: a ztunnel by its id, because a walk
// that begins at a workload is named for the workload.
func (w *walk) subject() string {
	if w.source != nil || w.kind == mesh.ZTunnel {
		return idOf(w.proxy)
	}
	return "it"
}

// isOutbound reports whether the request comes from the proxy's own workload.
func (w *walk) isOutbound() bool { return !w.inbound && (w.kind == "sidecar" || w.kind == "") }

// reached reports whether any of the requests reach an endpoint.
func (w *walk) reached() bool { return w.left > 0 }

// end ends the walk with a reason.
func (w *walk) end(reason string) error {
	w.reason = reason
	return nil
}

// endUndecided ends the walk if the configuration doesn't determine the next step.
func (w *walk) endUndecided(what string) error {
	w.unsure(what)
	return w.end(undecided)
}

// endMissing ends the walk, because a part that it needs isn't in what was read. The
// part becomes a fault, so that the run doesn't exit 0.
func (w *walk) endMissing(what, why string) error {
	w.addMissing(w.proxy, unknown{what, why})
	return w.end(notKnown)
}

// isUnreadable adds the part of the document that can't be read according to an
// error. It returns false for any other error, including the end of the run.
func (w *walk) isUnreadable(err error) bool {
	owner := w.proxy
	if w.kind == mesh.ZTunnel { // the trace is about a workload, so the fact names the ztunnel
		owner = nil
	}
	return w.ctx.Err() == nil && w.addFault(owner, err)
}

// endAtFault ends the walk if an error means that a part of the document can't be
// read. The result then contains everything found so far. It returns any other
// error.
func (w *walk) endAtFault(err error) error {
	if err == nil || !w.isUnreadable(err) {
		return err
	}
	return w.end(notKnown)
}

// address returns the destination as ip:port, or an empty string if it is not
// known.
func (w *walk) address() string {
	if w.Destination == "" {
		return ""
	}
	return net.JoinHostPort(w.Destination, strconv.Itoa(w.DestinationPort))
}

// resolve looks up the address of the request's host, once. The host is an address
// itself, or a service with a cluster IP.
func (w *walk) resolve() error {
	if w.resolved || w.Destination != "" {
		return nil
	}
	w.resolved = true
	host := request.Hostname(w.Host)
	if host == "" {
		w.noAddress = "the destination's address"
		return nil
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		w.Destination = addr.String()
		return nil
	}
	r := w.reader()
	namespace := r.Text(w.proxy, "namespace")
	if r.Err != nil {
		return r.Err
	}
	service, name, why, err := w.registry.service(strings.ToLower(strings.TrimSuffix(host, ".")), namespace)
	w.servicesFault = w.registry.fault
	if err != nil {
		return err
	}
	if why != "" {
		w.noAddress = "the address of " + host + " (" + why + ")"
		return nil
	}
	ip := r.Text(service, "spec", "clusterIP")
	if r.Err != nil {
		return r.Err
	}
	if _, err := netip.ParseAddr(ip); err != nil { // a headless service or an ExternalName service has no cluster IP
		w.noAddress = "the address of " + host + " (the Service has no cluster IP)"
		return nil
	}
	w.Destination = ip
	w.addStep(step{what: "service", name: name, why: ip})
	return nil
}

// addNoAddress adds the reason why the destination's address is not known. It adds
// nothing if the address is known.
func (w *walk) addNoAddress() {
	w.unsure(w.noAddress)
	if w.noAddress != "" {
		w.notifyOf(w.servicesFault)
	}
}

// result converts the walk to a Trace.
func (w *walk) result() (any, error) {
	r := w.reader()
	out := object.Of("proxy", nil, "workload", nil, "request", w.requestValue())
	if w.proxy != nil {
		out.Set("proxy", r.Get(w.proxy, "id"))
	}
	if w.source != nil {
		out.Set("workload", w.source.ID())
	}
	if r.Err != nil {
		return nil, r.Err
	}
	w.setResult(out)
	if w.question.through == throughAll || w.report.through != nil {
		out.Set("through", orEmpty(w.report.through))
	}
	return mesh.NewObject("Trace", w.proxy, out), nil
}

// requestValue returns the request as it was parsed.
func (w *walk) requestValue() *object.Object {
	r := w.Request
	m := object.Of(
		"method", orNull(r.Method), "scheme", orNull(r.Scheme), "host", orNull(r.Host), "path", orNull(r.Path), "port", nil,
		"destination", orNull(r.Destination), "source", orNull(r.Source), "sni", orNull(r.SNI), "principal", orNull(r.Principal),
		"direction", "outbound",
	)
	if r.DestinationPort != 0 {
		m.Set("port", r.DestinationPort)
	}
	if !w.isOutbound() && (w.source == nil || w.inbound) {
		m.Set("direction", "inbound")
	}
	if r.Scheme == routing.Bytes {
		m.Set("method", nil)
		m.Set("path", nil)
	}
	return m
}
