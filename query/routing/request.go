package routing

import (
	"strconv"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// Bytes is the scheme for a connection that isn't HTTP, or in which the proxy
// can't detect HTTP.
const Bytes = "tcp"

// A Request is a request together with the connection on which it arrives.
type Request struct {
	Method string // the HTTP method; if empty, GET
	Scheme string // "http", "https" or [Bytes]; if empty, the scheme in x-forwarded-proto
	Host   string // the header :authority, including the port if the client sends one
	Path   string // the path, including the query

	// Headers are the headers in the order in which the client sends them. A
	// name may occur several times.
	Headers [][2]string

	// Random is the random value by which Envoy selects one of several weighted
	// clusters. If it is nil, the answer has the shares of all clusters.
	Random *uint64

	// Metadata is the dynamic metadata by filter name. It is nil if the metadata
	// isn't known.
	Metadata *object.Object

	// Digests maps texts in the request (values of headers, cookies and query
	// parameters) to the digests that replace them in the snapshot.
	Digests map[string]string

	remote string // the client's address as Envoy determines it; if empty, it is Source
	// the port that was removed from the host of a CONNECT request; Envoy adds
	// it again before it forwards the request
	connectPort string

	// The fields below describe the connection. They select the filter chain.
	SNI             string
	NoSNI           bool // true if the client sends no SNI
	ALPN            []string
	TLS             bool
	Source          string // the address of the peer; if a PROXY header names another address, that address
	DirectSource    string // the address of the physical peer; set only if a PROXY header names another address
	SourcePort      int
	Destination     string // the address to which the client connects
	DestinationPort int

	// Principal is the identity in the client's certificate, such as
	// "spiffe://cluster.local/ns/default/sa/web". It is empty if the identity
	// isn't known.
	Principal string

	// NoCertificate is true if the client presents no certificate, because it has
	// none or the server doesn't request one.
	NoCertificate bool

	// Tunnelled is true if the connection runs inside a tunnel with mutual TLS.
	// Principal is then the identity of the tunnel's client.
	Tunnelled bool
}

// upgrade returns the protocol to which the request asks to be upgraded, in lower
// case. It returns "" for a request without an upgrade.
func (r *routed) upgrade() string {
	if r.Method == "CONNECT" {
		return "connect"
	}
	for token := range strings.SplitSeq(asciiLower(strings.Join(r.headers["connection"], ",")), ",") {
		if strings.TrimSpace(token) == "upgrade" {
			return asciiLower(r.headers.first("upgrade"))
		}
	}
	return ""
}

// A headers has a request's headers in Envoy's form: the keys are names in lower
// case, and each value of a repeated header is a separate element.
type headers map[string][]string

// inline lists the headers whose repeated values Envoy's codec joins into one
// value, as measured on Envoy 1.40.
const inline = " accept accept-encoding access-control-request-headers access-control-request-method access-control-request-private-network" +
	" authorization cache-control cdn-loop connection content-encoding content-type expect grpc-accept-encoding grpc-timeout host if-match" +
	" if-modified-since if-none-match if-range if-unmodified-since origin pragma proxy-status referer te upgrade user-agent via x-client-trace-id" +
	" x-envoy-attempt-count x-envoy-decorator-operation x-envoy-downstream-service-cluster x-envoy-downstream-service-node" +
	" x-envoy-expected-rq-timeout-ms x-envoy-external-address x-envoy-force-trace x-envoy-hedge-on-per-try-timeout x-envoy-ip-tags" +
	" x-envoy-is-timeout-retry x-envoy-max-retries x-envoy-original-host x-envoy-original-path x-envoy-original-url" +
	" x-envoy-retriable-header-names x-envoy-retriable-status-codes x-envoy-retry-grpc-on x-envoy-retry-on x-envoy-upstream-alt-stat-name" +
	" x-envoy-upstream-rq-per-try-timeout-ms x-envoy-upstream-rq-timeout-alt-response x-envoy-upstream-rq-timeout-ms" +
	" x-envoy-upstream-stream-duration-ms x-forwarded-client-cert x-forwarded-for x-forwarded-host x-forwarded-port x-forwarded-proto" +
	" x-request-id "

func isInline(name string) bool { return strings.Contains(inline, " "+name+" ") }

// headers returns the headers that the request has when routes are matched.
func (r *Request) headers() headers {
	h := headers{}
	for _, kv := range r.Headers {
		name, value := asciiLower(kv[0]), strings.Trim(kv[1], " \t")
		old := h[name]
		switch {
		case !isInline(name) || len(old) == 0:
			h[name] = append(old, value)
		case value != "": // Envoy skips an empty value, and adds no comma after one
			if old[0] != "" {
				old[0] += ","
			}
			old[0] += value
		}
	}
	h[":authority"] = []string{r.Host}
	h["host"] = h[":authority"]
	if r.Method != "CONNECT" {
		h[":path"] = []string{r.Path}
	}
	h[":method"] = []string{r.Method}
	r.scheme(h)
	return h
}

// scheme sets :scheme and x-forwarded-proto. If only one of the two is known, the
// other is derived from it.
func (r *Request) scheme(h headers) {
	if h["x-forwarded-proto"] == nil {
		proto := "http"
		if r.TLS || r.Scheme == "https" {
			proto = "https"
		}
		h["x-forwarded-proto"] = []string{proto}
	}
	scheme := asciiLower(h["x-forwarded-proto"][0])
	if scheme != "https" && scheme != "http" {
		scheme = "http"
		if r.TLS || r.Scheme == "https" {
			scheme = "https"
		}
	}
	h[":scheme"] = []string{scheme}
}

func (h headers) first(name string) string {
	if v := h[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// asciiLower returns a text with ASCII letters in lower case. It leaves all other
// letters unchanged, as Envoy does.
func asciiLower(s string) string {
	for i := range len(s) {
		if c := s[i]; 'A' <= c && c <= 'Z' {
			b := []byte(s)
			for j := i; j < len(b); j++ {
				if 'A' <= b[j] && b[j] <= 'Z' {
					b[j] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}

// portAt returns the index of ":port" in a host, or len(host) if the host has no
// port. It ignores the colons inside an IPv6 address.
func portAt(host string) int {
	i := strings.LastIndexByte(host, ':')
	if i < 0 || strings.LastIndexByte(host, ']') > i {
		return len(host)
	}
	return i
}

func numericPort(port string) bool {
	_, err := strconv.ParseUint(strings.TrimPrefix(port, ":"), 10, 32)
	return err == nil
}
