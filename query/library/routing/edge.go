package routing

import (
	"net/netip"
	"slices"
	"strings"
)

// Edge is how a connection manager sees where a request is from: it decides
// about x-forwarded-proto and the x-envoy-… headers, which clients outside of
// the mesh can't set.
type Edge struct {
	UseRemoteAddress bool
	TrustedHops      int
	Scheme           string         // schemeToOverwrite; empty for none
	Internal         []netip.Prefix // addresses that are internal
}

// onlyInternal are the headers that are taken from requests that are not
// internal.
const onlyInternal = " x-envoy-retriable-status-codes x-envoy-retriable-header-names x-envoy-retry-on x-envoy-retry-grpc-on x-envoy-max-retries" +
	" x-envoy-upstream-alt-stat-name x-envoy-upstream-rq-timeout-ms x-envoy-upstream-rq-per-try-timeout-ms x-envoy-upstream-rq-timeout-alt-response" +
	" x-envoy-expected-rq-timeout-ms x-envoy-force-trace x-envoy-ip-tags x-envoy-original-url x-envoy-hedge-on-per-try-timeout "

// notOverEdge are those that an edge takes away besides.
const notOverEdge = " x-envoy-decorator-operation x-envoy-downstream-service-cluster x-envoy-downstream-service-node "

// marked gives the request with the headers that it goes on with.
func (e *Edge) marked(r Request) Request {
	internal := e.internal(&r)
	own := e.Scheme != "" || e.UseRemoteAddress && e.TrustedHops == 0
	headers := slices.DeleteFunc(slices.Clone(r.Headers), func(h [2]string) bool {
		name := " " + asciiLower(h[0]) + " "
		return name == " x-envoy-internal " || own && name == " x-forwarded-proto " ||
			!internal && strings.Contains(onlyInternal, name) ||
			!internal && e.UseRemoteAddress && strings.Contains(notOverEdge, name)
	})
	if e.Scheme != "" {
		headers = append(headers, [2]string{"x-forwarded-proto", e.Scheme})
	} else if e.UseRemoteAddress {
		r.Scheme = "" // what the client said of it
	}
	if internal {
		headers = append(headers, [2]string{"x-envoy-internal", "true"})
	}
	r.Headers = headers
	return r
}

// internal tells whether the request is from an internal address: the peer's
// at an edge, else the only one of x-forwarded-for.
func (e *Edge) internal(r *Request) bool {
	from := r.Source
	if !e.UseRemoteAddress {
		from = strings.TrimSpace(r.headers().first("x-forwarded-for"))
	}
	addr, err := netip.ParseAddr(from)
	return err == nil && slices.ContainsFunc(e.Internal, func(p netip.Prefix) bool { return p.Contains(addr) })
}
