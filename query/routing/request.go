package routing

import (
	"strconv"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// Bytes is the scheme of a connection that is no HTTP, or none that a proxy
// can see.
const Bytes = "tcp"

// Request is what Envoy would be asked.
type Request struct {
	Method string // GET unless said
	Scheme string // "http", "https" or [Bytes]; empty: by x-forwarded-proto
	Host   string // :authority, with its port where it has one
	Path   string // with the query

	// Headers in the order sent; a name may occur again.
	Headers [][2]string

	// Random decides where Envoy would: weighted clusters. Nil: shares are given.
	Random *uint64

	// Metadata are the dynamic metadata by filter; nil where they are not known.
	Metadata *object.Object

	// Digests maps texts of the request to the digests that a snapshot has of them:
	// values of headers, cookies and query parameters.
	Digests map[string]string

	remote      string // the address that Envoy takes for the client's; empty: Source
	connectPort string // what was cut off the host of a CONNECT, and is put back

	// Of the connection, for the choice of a filter chain.
	SNI             string
	NoSNI           bool // the client asks for no name
	ALPN            []string
	TLS             bool
	Source          string // address of the peer
	DirectSource    string // the physical peer's, where a PROXY header gave another Source
	SourcePort      int
	Destination     string // address it connected to
	DestinationPort int

	// Principal is whom the client's certificate is for,
	// "spiffe://cluster.local/ns/default/sa/web"; empty where none is known.
	Principal string

	// NoCertificate tells that the client shows none: it has none, or is not
	// asked.
	NoCertificate bool

	// Tunnelled tells that the connection comes within one of mutual TLS, whose
	// client Principal then is.
	Tunnelled bool
}

// upgrade gives what a request wants its connection to become, in lower case:
// empty for none.
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

// headers are a request's headers as Envoy sees them: by lower-case name, each
// value apart.
type headers map[string][]string

// inline are the headers that Envoy's codec joins into one value, measured on
// Envoy 1.40.
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

// headers gives what the routes see.
func (r *Request) headers() headers {
	h := headers{}
	for _, kv := range r.Headers {
		name, value := asciiLower(kv[0]), strings.Trim(kv[1], " \t")
		old := h[name]
		switch {
		case !isInline(name) || len(old) == 0:
			h[name] = append(old, value)
		case value != "": // an empty value is not appended, nor a comma after one
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

// scheme sets :scheme and x-forwarded-proto: one follows from the other.
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

// asciiLower folds ASCII only, as Envoy does.
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

// portAt gives where ":port" begins in a host, len(host) when it has none. The
// colons of an IPv6 literal are no port's.
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
