package library

import (
	"context"
	"errors"
	"strings"

	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/query/routing"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// tracer is trace(request): a request's way from a proxy.
type tracer struct {
	*matcher
	doors Doors
	names serviceNames
}

func (t *tracer) trace(c *eval.Call, yield func(any) error) error {
	q, err := parseQuestion(c.Ctx, c.Args[0])
	if err != nil {
		return err
	}
	all, isArray, err := elements(c.Ctx, c.In)
	if err != nil {
		return err
	}
	if !isArray {
		all = []any{c.In}
	}
	for _, v := range all {
		proxy, ok := v.(*mesh.Object)
		if !ok || proxy.Kind != "Proxy" {
			return errors.New("trace begins at a proxy")
		}
		out, err := t.walkFrom(c, proxy, q)
		if err != nil {
			return err
		}
		if err := yield(out); err != nil {
			return err
		}
	}
	return nil
}

// walkFrom traces a request from a proxy.
func (t *tracer) walkFrom(c *eval.Call, proxy *mesh.Object, q question) (any, error) {
	w := &walk{tracer: t, ctx: c.Ctx, proxy: proxy, question: q, unknowns: unknowns{tell: c.Fault}}
	if err := w.begin(); err != nil {
		return nil, err
	}
	if err := w.unless(w.accept()); err != nil {
		return nil, err
	}
	if q.through && w.reached() {
		if err := w.goThrough(); err != nil {
			return nil, err
		}
	}
	return w.result()
}

// The reasons why a walk ends, beside those of package routing. A walk that
// reaches an endpoint has none, or [passthrough].
const (
	noListener     = "NO_LISTENER"
	noChain        = "NO_FILTER_CHAIN"
	noVirtualHost  = "NO_VHOST"
	noRoute        = "NO_ROUTE"
	noCluster      = "NO_CLUSTER"
	blackHole      = "BLACKHOLE"
	passthrough    = "PASSTHROUGH"
	redirected     = "REDIRECT"
	directResponse = "DIRECT_RESPONSE"
	denied         = "DENIED"       // by an AuthorizationPolicy
	aborted        = "FAULT"        // by a fault that is injected
	otherTransport = "TLS_MISMATCH" // one side speaks TLS, the other doesn't
	undecided      = "UNSUPPORTED"  // what the way hangs on can't be told
	notKnown       = "UNKNOWN"      // a part that the walk needs could not be read
	noCertificate  = "NO_CERTIFICATE"
)

// walk is one request on its way through one proxy.
type walk struct {
	*tracer
	ctx   context.Context
	proxy *mesh.Object
	question

	kind string // of the proxy: sidecar, router, waypoint
	ip   string // the proxy's

	servicePort int  // what the client asked for, where a service leads it to another
	alpn        bool // Istio's own filter tells the next proxy what is spoken

	within  bool            // it is the tunnel's own walk: what it leads to is entered elsewhere
	passed  any             // metadata that came with the connection from a cluster of the proxy itself
	tunnels bool            // it ends in a tunnel that the request goes on in
	hopped  map[string]bool // internal listeners that were met
	outer   []string        // internal listeners that lead to where this walk is
	stopped string          // why one of them leads nowhere

	idle    []socket              // listeners that were met and are not in use
	visited map[*mesh.Object]bool // proxies that it came through

	gathered gathered

	resolved  bool        // whether the destination was looked for
	unknown   string      // why it isn't known
	listless  *mesh.Fault // why the services could not be listed for it
	anonymous *mesh.Fault // why the client's identity could not be read
	unlisted  *mesh.Fault // why the list of the mesh that was asked for last could not be read

	unknowns
	outcomes []outcome
	aborts   float64 // the share of the requests that faults end

	steps       []any
	policies    []any
	faults      []any
	limits      *routing.Limits // of a request that is forwarded; nil for none
	unsupported []string
	clusters    []any
	endpoints   []any
	through     []any

	cluster string
	url     string
	status  int    // of what a proxy answers itself
	to      string // of a redirect
	reason  string
	request routing.Request // as it goes on to the cluster
	left    float64         // the share of requests that reach an endpoint
	ends    []end           // the endpoints that are reached
}

// begin reads what is known of the proxy.
func (w *walk) begin() (err error) {
	if w.kind, err = get[string](w.ctx, w.proxy, "type"); err != nil {
		return err
	}
	if w.kind == mesh.ZTunnel {
		return errors.New("trace begins at an Envoy; a ztunnel has no listeners")
	}
	if w.ip, err = get[string](w.ctx, w.proxy, "ip"); err != nil {
		return err
	}
	if w.from != "" {
		if err := w.comesFrom(); err != nil {
			return err
		}
	}
	if w.Source == "" && w.outbound() {
		w.Source = w.ip
	}
	if w.Destination == "" && w.inbound {
		w.Destination = w.ip
	}
	if w.Destination == "" && w.outbound() { // the host may be the address
		intoAddress(&w.Destination, new(int), hostname(w.Host))
	}
	w.request = w.Request
	return w.behind()
}

// behind tells where the proxy doesn't have what its Pilot sent last: the walk
// is by the older configuration.
func (w *walk) behind() error {
	for _, state := range []struct{ word, says string }{
		{mesh.Stale, "was sent newer configuration and has not acknowledged it: what follows is the older one"},
		{mesh.InError, "rejected what its Pilot sent last: what follows is the older one"},
	} {
		var types []string
		for _, t := range mesh.SyncTypes() {
			word, err := get[string](w.ctx, w.proxy, t.Key)
			if err != nil {
				return err
			}
			if word == state.word {
				types = append(types, strings.ToUpper(t.Key))
			}
		}
		if len(types) > 0 {
			w.took(step{what: "proxy", name: state.word, why: "it " + state.says + ": " + strings.Join(types, ", ")})
		}
	}
	return nil
}

// outbound tells whether the request is from the proxy's own workload.
func (w *walk) outbound() bool { return !w.inbound && (w.kind == "sidecar" || w.kind == "") }

// end ends the walk.
func (w *walk) end(reason string) error {
	w.reason = reason
	return nil
}

// undecided ends the walk where what it hangs on can't be told.
func (w *walk) unable(what string) error {
	w.unsure(what)
	return w.end(undecided)
}

// reached tells whether some of the requests get to an endpoint.
func (w *walk) reached() bool { return w.left > 0 }

// step is one step of the walk.
type step struct {
	what, name, why string
	istio           string // the Istio resource it came from, "virtual-service/reviews.default"
	near            []any
	object          any
}

func (w *walk) took(s step) {
	m := object.Of("step", s.what, "name", orNull(s.name), "reason", orNull(s.why), "istio", orNull(s.istio), "almost", s.near)
	if s.near == nil {
		m.Set("almost", []any{})
	}
	if s.object != nil {
		m.Set("object", s.object)
	}
	w.steps = append(w.steps, m)
}

// result is the walk as an object of the document.
func (w *walk) result() (any, error) {
	id, err := mesh.Get(w.ctx, w.proxy, "id")
	if err != nil {
		return nil, err
	}
	out := object.Of(
		"proxy", id, "request", w.asked(), "steps", w.steps, "cluster", orNull(w.cluster), "clusters", orEmpty(w.clusters),
		"endpoints", orEmpty(w.endpoints), "url", orNull(w.url), "reason", orNull(w.reason), "reached", w.reached(),
		"status", nil, "redirectTo", nil, "policies", orEmpty(w.policies), "faults", orEmpty(w.faults),
		"outcomes", w.endedValues(), "unknowns", w.unknowns.values(),
	)
	limited(out, w.limits)
	if w.status != 0 {
		out.Set("status", w.status)
	}
	if w.to != "" {
		out.Set("redirectTo", w.to)
	}
	said := []any{}
	for _, s := range w.unsupported {
		said = append(said, s)
	}
	out.Set("unsupported", said)
	if w.question.through {
		out.Set("through", orEmpty(w.through))
	}
	return mesh.NewObject("Trace", w.proxy, out), nil
}

func orEmpty(a []any) []any {
	if a == nil {
		return []any{}
	}
	return a
}

// asked is the request as it was understood.
func (w *walk) asked() *object.Object {
	r := w.Request
	m := object.Of(
		"method", orNull(r.Method), "scheme", orNull(r.Scheme), "host", orNull(r.Host), "path", orNull(r.Path), "port", nil,
		"destination", orNull(r.Destination), "source", orNull(r.Source), "sni", orNull(r.SNI), "principal", orNull(r.Principal),
		"direction", "outbound",
	)
	if r.DestinationPort != 0 {
		m.Set("port", r.DestinationPort)
	}
	if !w.outbound() {
		m.Set("direction", "inbound")
	}
	if r.Scheme == routing.Bytes {
		m.Set("method", nil)
		m.Set("path", nil)
	}
	return m
}

// almost puts what a request came near to in the document's words.
func (w *walk) almost(near []routing.Near) ([]any, error) {
	var out []any
	for _, n := range near {
		name, err := partName(w.ctx, n.Object)
		if err != nil {
			return nil, err
		}
		out = append(out, object.Of("name", orNull(name), "why", n.Why))
	}
	return out, nil
}

// partName is how a part of a configuration is called: by its name, or by what
// it matches.
func partName(ctx context.Context, v any) (string, error) {
	name, err := get[string](ctx, v, "name")
	if err != nil || name != "" && name != "default" {
		return name, err
	}
	match, err := mesh.Get(ctx, v, "match")
	if err != nil || match == nil {
		return name, err
	}
	text, err := routing.PathOf(ctx, match)
	return text, err
}

// origin is the Istio resource that a part of a configuration was made of,
// "virtual-service/reviews.default"; empty where it says none.
func (w *walk) origin(v any) (string, error) {
	for _, key := range []string{"metadata", "filterMetadata", "istio", "config"} {
		var err error
		if v, err = mesh.Get(w.ctx, v, key); err != nil {
			return "", err
		}
	}
	path, err := mesh.Force(w.ctx, v)
	s, _ := path.(string)
	return resource(s), err
}

// resource reads "/apis/networking.istio.io/v1/namespaces/<ns>/<kind>/<name>".
func resource(path string) string {
	words := strings.Split(path, "/")
	if len(words) != 8 || words[1] != "apis" || words[4] != "namespaces" {
		return ""
	}
	return words[6] + "/" + words[7] + "." + words[5]
}
