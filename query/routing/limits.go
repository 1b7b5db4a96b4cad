package routing

import (
	"strconv"
	"strings"
	"time"

	"github.com/meshq/kubectl-meshq/query/document"
)

// Limits are the timeout, the retries and the mirrors that a route sets for the
// requests that it forwards.
type Limits struct {
	Timeout float64  // seconds for the whole response; 0 means no timeout
	Retries *Retries // nil means no retries
	Mirrors []Mirror // the clusters that get copies of the request

	NoCluster int // the status that Envoy answers if the cluster doesn't exist
}

// Retries says when and how often Envoy retries a request.
type Retries struct {
	On       string  // the retry conditions, such as "5xx,connect-failure"
	Attempts int     // the number of retries after the first attempt
	PerTry   float64 // the timeout of each attempt in seconds; 0 means the timeout of the whole request
}

// A Mirror is a cluster that gets copies of the requests.
type Mirror struct {
	Cluster string  // empty if the mirror policy names a request header that is missing
	Share   float64 // the part of the requests that is copied, 0 to 1
}

// defaultTimeout is Envoy's default for a route without a timeout, in seconds.
const defaultTimeout = 15

// Limits returns the limits of the selected route. Retries come from its
// virtual host if the route has none. Mirrors come from the virtual host, and
// then from the route configuration, if the route has none. Policies of several
// levels are never merged. Request headers (x-envoy-max-retries and the like)
// override them, unless the connection manager has removed them.
func (a *Answer) Limits() (l Limits, err error) {
	c := a.choice
	if c == nil || a.Route == nil {
		return l, nil
	}
	action, host := c.Message(a.Route).Sub("route"), c.Message(a.Host)
	l.NoCluster = noCluster(action)
	l.Timeout = defaultTimeout
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

// retries applies the request headers to a retry policy.
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
	if whole > 0 && r.PerTry >= whole { // this timeout would never be reached
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

// seconds parses a duration in protobuf's JSON form, "1.500s". It returns 0 if
// the duration is invalid.
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
