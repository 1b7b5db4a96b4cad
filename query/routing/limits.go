package routing

import (
	"strconv"
	"strings"
	"time"

	"github.com/meshq/kubectl-meshq/query/document"
)

// A Limits has the timeout, the retries and the mirrors that a route sets for the
// requests that it forwards.
type Limits struct {
	Timeout float64  // the timeout of the whole response in seconds; 0 means no timeout
	Retries *Retries // the retry policy; nil if requests are not retried
	Mirrors []Mirror // the clusters to which copies of the request are sent

	NoCluster int // the status with which Envoy responds if the cluster doesn't exist
}

// A Retries describes when and how often Envoy retries a request.
type Retries struct {
	On       string  // the retry conditions, such as "5xx,connect-failure"
	Attempts int     // the number of retries after the first attempt
	PerTry   float64 // the timeout of each attempt in seconds; 0 if only the whole request has a timeout
}

// A Mirror is a cluster to which copies of requests are sent.
type Mirror struct {
	Cluster string  // the name of the cluster; empty if the policy takes the name from a request header that is missing
	Share   float64 // the part of the requests that are copied, from 0 to 1
}

// defaultTimeout is the timeout in seconds that Envoy uses for a route without a
// timeout.
const defaultTimeout = 15

// Limits returns the limits of the selected route. If the route has no retries,
// the retries are those of its virtual host. If the route has no mirrors, they
// are those of the virtual host, or else of the route configuration. Policies of
// several levels are never merged. Request headers such as x-envoy-max-retries
// override the limits, unless the connection manager has removed them.
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

// retries returns the retry policy with the changes that the request headers
// make. whole is the timeout of the whole request in seconds.
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
	if whole > 0 && r.PerTry >= whole { // the timeout of the whole request ends the attempt first
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

// seconds parses a duration in protobuf's JSON form, such as "1.500s". It returns
// 0 for an invalid duration.
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
