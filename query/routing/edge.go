package routing

import (
	"net/netip"
	"slices"
	"strings"
)

// Edge is how a connection manager sees where a request is from: it decides
// about x-forwarded-proto and the x-envoy-… headers, which clients outside of
// the mesh can't set, and sets headers of its own.
type Edge struct {
	UseRemoteAddress bool
	TrustedHops      int
	SkipXFFAppend    bool
	Scheme           string         // schemeToOverwrite; empty for none
	Internal         []netip.Prefix // addresses that are internal
	Via              string         // what is appended to via; empty for nothing
	NoRequestID      bool           // x-request-id is not set
	KeepRequestID    bool           // it is kept, from whomever it is
	ClientCert       string         // forwardClientCertDetails; empty for SANITIZE
}

// onlyInternal are the headers that are taken from requests that are not
// internal.
const onlyInternal = " x-envoy-retriable-status-codes x-envoy-retriable-header-names x-envoy-retry-on x-envoy-retry-grpc-on x-envoy-max-retries" +
	" x-envoy-upstream-alt-stat-name x-envoy-upstream-rq-timeout-ms x-envoy-upstream-rq-per-try-timeout-ms x-envoy-upstream-rq-timeout-alt-response" +
	" x-envoy-expected-rq-timeout-ms x-envoy-upstream-stream-duration-ms x-envoy-force-trace x-envoy-ip-tags x-envoy-original-url x-envoy-hedge-on-per-try-timeout "

// notOverEdge are those that an edge takes away besides.
const notOverEdge = " x-envoy-decorator-operation x-envoy-downstream-service-cluster x-envoy-downstream-service-node "

// ofConnection are those that concern a connection only.
const ofConnection = " keep-alive proxy-connection transfer-encoding "

// marked gives the request with the headers that it goes on with, and the
// names of those that Envoy sets to what can't be known here.
func (e *Edge) marked(r Request, internalOnly []string) (_ Request, unsaid []string) {
	from, internal := e.from(&r)
	r.remote = from
	edge := e.UseRemoteAddress && !internal
	own := e.Scheme != "" || e.UseRemoteAddress && e.TrustedHops == 0
	upgrade := r.Method != "CONNECT" && (&routed{r, r.headers()}).upgrade() != ""
	te := r.headers().first("te")
	headers := slices.DeleteFunc(slices.Clone(r.Headers), func(h [2]string) bool {
		name := asciiLower(h[0])
		in := func(names string) bool { return strings.Contains(names, " "+name+" ") }
		return name == "x-envoy-internal" || own && name == "x-forwarded-proto" || in(ofConnection) ||
			!upgrade && (in(" connection upgrade ") || name == "te" && te != "") || edge && (in(notOverEdge) || name == "x-envoy-external-address") ||
			!internal && (in(onlyInternal) || slices.ContainsFunc(internalOnly, func(s string) bool { return asciiLower(s) == name }))
	})
	if !upgrade && slices.ContainsFunc(strings.Split(te, ","), func(s string) bool { return asciiLower(strings.TrimSpace(s)) == "trailers" }) {
		headers = append(headers, [2]string{"te", "trailers"}) // all that is left of it
	}
	if e.Scheme != "" {
		headers = append(headers, [2]string{"x-forwarded-proto", e.Scheme})
	} else if e.UseRemoteAddress {
		r.Scheme = "" // what the client said of it
	}
	if internal {
		headers = append(headers, [2]string{"x-envoy-internal", "true"})
	}
	if e.Via != "" {
		headers = append(headers, [2]string{"via", e.Via})
	}
	if e.UseRemoteAddress && !e.SkipXFFAppend {
		headers = append(headers, [2]string{"x-forwarded-for", r.Source})
		if r.Source == "" || loopback(r.Source) { // of a local peer it is the host's own address
			unsaid = append(unsaid, "x-forwarded-for")
		}
	}
	if edge {
		headers = append(headers, [2]string{"x-envoy-external-address", from})
		if from == "" {
			unsaid = append(unsaid, "x-envoy-external-address")
		}
	}
	r.Headers = headers
	return e.identified(r, edge, unsaid)
}

// identified is the request with the headers that name it and its client.
func (e *Edge) identified(r Request, edge bool, unsaid []string) (Request, []string) {
	is := func(name string) func([2]string) bool {
		return func(h [2]string) bool { return asciiLower(h[0]) == name }
	}
	has := slices.ContainsFunc(r.Headers, func(h [2]string) bool { return asciiLower(h[0]) == "x-request-id" && h[1] != "" })
	if !e.NoRequestID && (!has || edge && !e.KeepRequestID) {
		r.Headers = append(slices.DeleteFunc(r.Headers, is("x-request-id")), [2]string{"x-request-id", ""})
		unsaid = append(unsaid, "x-request-id")
	}
	const certs = "x-forwarded-client-cert"
	switch mutual := r.Principal != ""; {
	case e.ClientCert == "ALWAYS_FORWARD_ONLY":
	case e.ClientCert == "" || e.ClientCert == "SANITIZE" || !r.TLS || r.NoCertificate:
		r.Headers = slices.DeleteFunc(r.Headers, is(certs))
	case e.ClientCert == "FORWARD_ONLY":
		if !mutual {
			unsaid = append(unsaid, certs)
		}
	default:
		r.Headers = append(r.Headers, [2]string{certs, ""})
		unsaid = append(unsaid, certs)
	}
	return r, unsaid
}

// from gives the address that a request is from, empty where that isn't known,
// and whether it is an internal one: the peer's at an edge, where no other is
// said, else the only one of x-forwarded-for.
func (e *Edge) from(r *Request) (address string, internal bool) {
	said, ok := r.headers()["x-forwarded-for"]
	alone := !ok
	if e.UseRemoteAddress {
		if e.TrustedHops > 0 && ok {
			address, _ = hop(said[0], e.TrustedHops-1)
		}
		if address == "" {
			address = r.Source
		}
	} else if ok {
		address, alone = hop(said[0], e.TrustedHops)
	}
	addr, err := netip.ParseAddr(address)
	return address, alone && err == nil && slices.ContainsFunc(e.Internal, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// hop gives the address of x-forwarded-for that so many others follow, empty
// for what is none, and whether it is the only one.
func hop(said string, others int) (address string, alone bool) {
	all := strings.Split(said, ",")
	at := len(all) - 1 - others
	if at < 0 || at >= len(all) {
		return "", false
	}
	address = strings.TrimSpace(all[at])
	if _, err := netip.ParseAddr(address); err != nil {
		return "", false
	}
	return address, len(all) == 1
}
