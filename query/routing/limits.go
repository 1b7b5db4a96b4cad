package routing

import (
	"strconv"
	"strings"
	"time"

	"github.com/meshq/kubectl-meshq/query/document"
)

// Limits are what a route says of a request that it forwards, beside where to.
type Limits struct {
	Timeout float64  // in seconds, of the whole answer; 0: there is none
	Retries *Retries // nil: it isn't sent again
	Mirrors []Mirror // where copies of it go

	NoCluster int // the status where the cluster doesn't exist
}

// Retries are when a request is sent again, and how often.
type Retries struct {
	On       string  // the conditions, "5xx,connect-failure"
	Attempts int     // beside the first
	PerTry   float64 // the timeout of each, in seconds; 0: that of the whole
}

// A Mirror is a cluster that copies of requests are sent to.
type Mirror struct {
	Cluster string  // empty where a header of the request that isn't there names it
	Share   float64 // of the requests, 0 to 1
}

// usualTimeout is Envoy's where a route says none, in seconds.
const usualTimeout = 15

// Limits gives what the chosen route says: retries and mirrors are its virtual
// host's where it has none of its own, mirrors the route configuration's at
// last; none of them are merged. Headers of the request that came as far as
// the routes go before it.
func (a *Answer) Limits() (l Limits, err error) {
	c := a.choice
	if c == nil || a.Route == nil {
		return l, nil
	}
	action, host := c.Message(a.Route).Sub("route"), c.Message(a.Host)
	l.NoCluster = noCluster(action)
	l.Timeout = usualTimeout
	if action.Has("timeout") {
		l.Timeout = seconds(action.Text("timeout"))
	}
	h := a.asked.headers
	if ms, ok := count(h.first("x-envoy-upstream-rq-timeout-ms")); ok {
		l.Timeout = float64(ms) / 1000
	}
	policy := action.Sub("retryPolicy")
	if policy.Fields == nil {
		policy = host.Sub("retryPolicy")
	}
	l.Retries = retries(policy, h, l.Timeout)
	for _, at := range []document.Message{action, host, c.Message(c.configuration)} {
		if all := at.List("requestMirrorPolicies"); len(all) > 0 {
			l.Mirrors = mirrors(all, h)
			break
		}
	}
	return l, c.Err
}

// retries reads a policy, and the headers that add to it.
func retries(policy document.Message, h headers, whole float64) *Retries {
	r := &Retries{On: policy.Text("retryOn"), Attempts: 1, PerTry: seconds(policy.Text("perTryTimeout"))}
	if policy.Has("numRetries") {
		r.Attempts = int(policy.Number("numRetries"))
	}
	for _, name := range []string{"x-envoy-retry-on", "x-envoy-retry-grpc-on"} {
		if on := h.first(name); on != "" {
			r.On = strings.TrimPrefix(r.On+","+on, ",")
		}
	}
	if n, ok := count(h.first("x-envoy-max-retries")); ok {
		r.Attempts = n
	}
	if ms, ok := count(h.first("x-envoy-upstream-rq-per-try-timeout-ms")); ok {
		r.PerTry = float64(ms) / 1000
	}
	if whole > 0 && r.PerTry >= whole { // it would never be reached
		r.PerTry = 0
	}
	if r.On == "" || r.Attempts == 0 {
		return nil
	}
	return r
}

func mirrors(policies []document.Message, h headers) (out []Mirror) {
	for _, p := range policies {
		m := Mirror{Cluster: p.Text("cluster"), Share: 1}
		if name := p.Text("clusterHeader"); m.Cluster == "" && name != "" {
			m.Cluster = h.first(asciiLower(name))
		}
		if p.Has("runtimeFraction") {
			m.Share = percentage(p.Sub("runtimeFraction").Sub("defaultValue"))
		}
		out = append(out, m)
	}
	return out
}

// seconds reads a duration as protobuf's JSON writes it, "1.500s".
func seconds(s string) float64 {
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0
	}
	return d.Seconds()
}

func count(s string) (int, bool) {
	n, err := strconv.ParseUint(s, 10, 32)
	return int(n), err == nil
}
