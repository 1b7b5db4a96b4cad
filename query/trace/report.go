package trace

import (
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/query/document"
	"github.com/meshq/kubectl-meshq/query/routing"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// These are the reasons why a walk ends, in addition to those of package routing. A
// walk that reaches an endpoint has no reason, or passthrough.
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
	denied         = "DENIED"       // an AuthorizationPolicy denies the request
	aborted        = "FAULT"        // an injected fault aborts the request
	otherTransport = "TLS_MISMATCH" // one side uses TLS, the other doesn't
	undecided      = "UNSUPPORTED"  // the configuration doesn't determine the next step
	notKnown       = "UNKNOWN"      // a part that the walk needs could not be read
	noCertificate  = "NO_CERTIFICATE"
	noWorkload     = "NO_WORKLOAD" // the ztunnel of its node does not know the workload
)

// unknown is a fact that the result depends on and that could not be determined.
type unknown struct{ what, why string }

// unknowns collects, without duplicates, the facts that one result depends on and
// that could not be determined.
type unknowns struct {
	all    []unknown
	notify func(*mesh.Fault) // reports to the user a part that can't be read; may be nil
}

func (u *unknowns) add(one unknown) {
	if !slices.Contains(u.all, one) {
		u.all = append(u.all, one)
	}
}

// addFault adds the part of the document that can't be read according to an error.
// It returns false for any other error. owner is the proxy that the result is
// about.
func (u *unknowns) addFault(owner any, err error) bool {
	var f *mesh.Fault
	if !errors.As(err, &f) {
		return false
	}
	what := f.Section
	if _, ok := owner.(*mesh.Object); ok && f.Proxy != "" && idOf(owner) != f.Proxy {
		what += " of " + f.Proxy
	}
	u.add(unknown{what, f.Fact()})
	u.notifyOf(f)
	return true
}

// addMissing adds a part that was read but lacks a fact that the result depends on.
func (u *unknowns) addMissing(owner any, one unknown) {
	u.addFault(owner, &mesh.Fault{Proxy: idOf(owner), Section: one.what, Err: errors.New(one.why)})
}

func (u *unknowns) notifyOf(f *mesh.Fault) {
	if f != nil && u.notify != nil {
		u.notify(f)
	}
}

func (u *unknowns) values() []any {
	out := []any{}
	for _, one := range u.all {
		out = append(out, object.Of("what", one.what, "why", one.why))
	}
	return out
}

// report is the result of a walk so far.
type report struct {
	unknowns
	unsupported []string
	steps       []any
	policies    []any
	faults      []any
	limits      *routing.Limits // the limits for the request; nil if it isn't forwarded
	cluster     string
	clusters    []any
	endpoints   []any
	through     []any
	url         string
	status      int    // status of the proxy's own response; 0 if there is none
	redirectTo  string // the location of a redirect
	reason      string
	outcomes    []outcome
	aborts      float64 // share of the requests that injected faults abort
	left        float64 // share of the requests that reach an endpoint
}

// step is one step of a walk, such as the choice of a route.
type step struct {
	what, name, why string
	istio           string // the Istio resource that the step comes from, such as "virtual-service/reviews.default"
	near            []any
	object          any
}

func (p *report) addStep(s step) {
	m := object.Of("step", s.what, "name", orNull(s.name), "reason", orNull(s.why), "istio", orNull(s.istio), "almost", orEmpty(s.near))
	if s.object != nil {
		m.Set("object", s.object)
	}
	p.steps = append(p.steps, m)
}

// unsure adds facts that the configuration alone doesn't determine. A string may
// end with the reason in parentheses: "the address of cart (no Kubernetes
// Service)".
func (p *report) unsure(what ...string) {
	for _, s := range what {
		if s == "" || slices.Contains(p.unsupported, s) {
			continue
		}
		p.unsupported = append(p.unsupported, s)
		one := unknown{s, mesh.NotConfigured}
		if name, why, ok := strings.Cut(s, " ("); ok && strings.HasSuffix(why, ")") {
			one = unknown{name, strings.TrimSuffix(why, ")")}
		}
		p.add(one)
	}
}

// adopt adds the steps, policies and unknowns of an inner walk. Such a walk
// follows the request through a tunnel or an internal listener of the same
// proxy.
func (p *report) adopt(inner *report) {
	p.steps = append(p.steps, inner.steps...)
	p.policies = append(p.policies, inner.policies...)
	p.adoptUnknowns(inner)
}

func (p *report) adoptUnknowns(inner *report) {
	p.unsure(inner.unsupported...)
	for _, one := range inner.all {
		p.add(one)
	}
}

// outcome is a share of the traffic and the point at which it ends. It ends at an
// endpoint if the reason is empty or passthrough.
type outcome struct {
	reason string
	share  float64
}

func arrives(reason string) bool { return reason == "" || reason == passthrough }

// negligible is the largest share that can result from rounding errors alone.
const negligible = 1e-9

func (p *report) addOutcome(reason string, share float64) {
	if share < negligible {
		return
	}
	if i := slices.IndexFunc(p.outcomes, func(o outcome) bool { return o.reason == reason }); i >= 0 {
		p.outcomes[i].share += share
		return
	}
	p.outcomes = append(p.outcomes, outcome{reason, share})
}

// allOutcomes returns the outcomes of all traffic. Those that reach an endpoint
// come first. The share that a fault aborts never reaches a cluster.
func (p *report) allOutcomes() []outcome {
	if len(p.outcomes) == 0 {
		return []outcome{{p.reason, 1}}
	}
	var out, rest []outcome
	for _, o := range p.outcomes {
		o.share *= 1 - p.aborts
		if arrives(o.reason) {
			out = append(out, o)
		} else {
			rest = append(rest, o)
		}
	}
	out = append(out, rest...)
	if p.aborts > 0 {
		out = append(out, outcome{aborted, p.aborts})
	}
	return out
}

func (p *report) outcomeValues() []any {
	out := []any{}
	for _, o := range p.allOutcomes() {
		out = append(out, object.Of("share", math.Round(o.share*(1/negligible))/(1/negligible), "reason", orNull(o.reason)))
	}
	return out
}

// setResult sets the members of a Trace that come from the report.
func (p *report) setResult(out *object.Object) {
	for _, m := range []struct {
		key string
		v   any
	}{
		{"steps", p.steps}, {"cluster", orNull(p.cluster)}, {"clusters", orEmpty(p.clusters)}, {"endpoints", orEmpty(p.endpoints)},
		{"url", orNull(p.url)}, {"reason", orNull(p.reason)}, {"reached", p.left > 0}, {"status", nil}, {"redirectTo", orNull(p.redirectTo)},
		{"policies", orEmpty(p.policies)}, {"faults", orEmpty(p.faults)}, {"outcomes", p.outcomeValues()}, {"unknowns", p.values()},
	} {
		out.Set(m.key, m.v)
	}
	setLimits(out, p.limits)
	if p.status != 0 {
		out.Set("status", p.status)
	}
	out.Set("unsupported", toAny(p.unsupported))
}

// almost converts the objects that almost matched the request to values for the
// result.
func almost(r *document.Reader, near []routing.Near) ([]any, error) {
	var out []any
	for _, n := range near {
		name, err := partName(r, n.Object)
		if err != nil {
			return nil, err
		}
		out = append(out, object.Of("name", orNull(name), "why", n.Why))
	}
	return out, nil
}

// partName returns the name of a part of the configuration. A route without a
// name is identified by the path that it matches.
func partName(r *document.Reader, v any) (string, error) {
	name, match := r.Text(v, "name"), r.Get(v, "match")
	if r.Err != nil || match == nil || name != "" && name != "default" {
		return name, r.Err
	}
	return routing.PathOf(r.Ctx, match)
}

// istioOrigin returns the Istio resource that a part of the configuration was
// generated from, such as "virtual-service/reviews.default". It returns "" if
// the part's metadata names none.
func istioOrigin(r *document.Reader, v any) string {
	if o, ok := mesh.OriginOf(r.Text(v, "metadata", "filterMetadata", "istio", "config"), r.Text(v, "name")); ok {
		return o.String()
	}
	return ""
}
