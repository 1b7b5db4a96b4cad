package routing

import (
	"strconv"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// Bytes is the scheme of a connection that isn't HTTP, or whose HTTP the proxy
// can't see.
const Bytes = "tcp"

// Request is a request, and the connection that carries it.
type Request struct {
	Method string // GET if empty
	Scheme string // "http", "https" or [Bytes]; if empty, it follows from x-forwarded-proto
	Host   string // the :authority, including the port if there is one
	Path   string // includes the query

	// Headers holds the headers in the order in which they are sent. A name may
	// occur more than once.
	Headers [][2]string

	// Random is the random value by which Envoy selects one of several weighted
	// clusters. If it is nil, the answer has shares.
	Random *uint64

	// Metadata is the dynamic metadata by filter name; nil if it isn't known.
	Metadata *object.Object

	// Digests maps texts of the request (values of headers, cookies and query
	// parameters) to their digests in the snapshot.
	Digests map[string]string

	remote      string // the client's address as Envoy determines it; empty means Source
	connectPort string // the port that was removed from a CONNECT's host; it is added again upstream

	// The fields of the connection, which select the filter chain.
	SNI             string
	NoSNI           bool // the client sends no SNI
	ALPN            []string
	TLS             bool
	Source          string // the peer's address
	DirectSource    string // the physical peer's address, if a PROXY header names another Source
	SourcePort      int
	Destination     string // the address that the client connects to
	DestinationPort int

	// Principal is the identity in the client's certificate,
	// "spiffe://cluster.local/ns/default/sa/web". It is empty if none is known.
	Principal string

	// NoCertificate reports that the client presents no certificate: it has
	// none, or the server doesn't request one.
	NoCertificate bool

	// Tunnelled reports that the connection runs inside a tunnel with mutual
	// TLS. Principal is then the identity of the tunnel's client.
	Tunnelled bool
}

// upgrade returns the protocol that the request asks to upgrade to, in lower
// case, or "" if it asks for none.
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

// headers holds a request's headers as Envoy sees them. Keys are names in lower
// case; each value is an element of its own.
type headers map[string][]string

// inline lists the headers whose values Envoy's codec joins into one, as
// measured on Envoy 1.40.
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

// headers returns the headers as the routes see them.
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

// scheme sets :scheme and x-forwarded-proto. Each follows from the other.
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

// asciiLower converts ASCII letters to lower case and leaves all others, as
// Envoy does.
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

// portAt returns the index of ":port" in a host, or len(host) if there is no
// port. The colons inside an IPv6 literal don't count.
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
