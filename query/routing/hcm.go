package routing

import (
	"encoding/hex"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// HCM is what an HTTP connection manager does to a request before it is
// routed. The zero HCM does nothing.
type HCM struct {
	StripAnyHostPort      bool
	StripTrailingHostDot  bool
	StripMatchingHostPort int // the listener's port; 0: it is not set
	MergeSlashes          bool
	NormalizePath         bool
	EscapedSlashes        string // pathWithEscapedSlashesAction

	// Edge is what becomes of headers that say where a request is from; nil
	// leaves them as they are.
	Edge *Edge

	// Upgrades are the kinds of upgrade that are allowed, in lower case; nil:
	// that is not looked at.
	Upgrades map[string]bool

	Envoy // whose connection manager it is
}

// prepare gives the request as the routes see it, or what Envoy answers to it
// itself.
func (c *choice) prepare(m HCM, r Request) (Request, *Answer) {
	if at := strings.IndexByte(r.Path, '#'); at >= 0 {
		if c.has(fragmentsRefused) {
			return r, &Answer{Status: 400}
		}
		r.Path = r.Path[:at]
	}
	if m.StripTrailingHostDot {
		r.Host = withoutDot(r.Host)
	}
	if i := portAt(r.Host); i < len(r.Host) && numericPort(r.Host[i:]) {
		if m.StripAnyHostPort || m.StripMatchingHostPort > 0 && r.Host[i+1:] == itoa(m.StripMatchingHostPort) {
			if r.Method == "CONNECT" {
				r.connectPort = r.Host[i:]
			}
			r.Host = r.Host[:i]
		}
	}
	if r.Method == "CONNECT" { // it has no path
		r.Path = ""
		return r, nil
	}
	p := pathOnly(r.Path)
	rest := r.Path[len(p):]
	p, unescaped := m.unescaped(p)
	if unescaped && m.EscapedSlashes == "REJECT_REQUEST" {
		return r, &Answer{Status: 400}
	}
	if m.NormalizePath {
		var ok bool
		if p, ok = c.normalized(p); !ok {
			return r, &Answer{Status: 400}
		}
	}
	if m.MergeSlashes {
		p = merged(p)
	}
	r.Path = p + rest
	if unescaped && m.EscapedSlashes == "UNESCAPE_AND_REDIRECT" {
		return r, &Answer{RedirectStatus: 307, RedirectTo: r.Path}
	}
	return r, nil
}

// unescaped decodes the slashes of a path, where the connection manager looks
// at them, and tells whether there were any.
func (m HCM) unescaped(p string) (string, bool) {
	switch m.EscapedSlashes {
	case "REJECT_REQUEST", "UNESCAPE_AND_REDIRECT", "UNESCAPE_AND_FORWARD":
		q := strings.NewReplacer("%2F", "/", "%2f", "/", "%5C", `\`, "%5c", `\`).Replace(p)
		return q, q != p
	}
	return p, false
}

// withoutDot cuts the last dot of a host, where it ends the host or its name:
// "a.:80" is "a:80".
func withoutDot(host string) string {
	i := strings.LastIndexByte(host, '.')
	if i >= 0 && (i == len(host)-1 || host[i+1] == ':') {
		return host[:i] + host[i+1:]
	}
	return host
}

func merged(p string) string {
	for strings.Contains(p, "//") {
		p = strings.ReplaceAll(p, "//", "/")
	}
	return p
}

// normalized resolves dot segments, turns backslashes into slashes, decodes the
// escapes of what needs none and escapes what does; %2F stays. A %00 is
// refused.
func (c *choice) normalized(p string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(p); i++ {
		ch := p[i]
		if ch == '\\' {
			ch = '/'
		}
		if ch == '%' && i+2 < len(p) {
			if v, err := hex.DecodeString(p[i+1 : i+3]); err == nil {
				if v[0] == 0 {
					return "", false
				}
				if unreserved(v[0]) {
					b.WriteByte(v[0])
				} else {
					b.WriteString(p[i : i+3])
				}
				i += 2
				continue
			}
		}
		if strings.IndexByte("\"<>^`{|}", ch) >= 0 {
			b.WriteString("%" + strings.ToUpper(strconv.FormatUint(uint64(ch), 16)))
			continue
		}
		b.WriteByte(ch)
	}
	return c.withoutDots(b.String()), true
}

func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0
}

// withoutDots resolves "." and "..", as RFC 3986 §5.2.4 does, by
// [dotsWithParameters].
func (c *choice) withoutDots(p string) string {
	if !strings.HasPrefix(p, "/") {
		return p
	}
	segments := strings.Split(p[1:], "/")
	var out []string
	for i, s := range segments {
		if name, _, more := strings.Cut(s, ";"); more && (name == "." || name == "..") && c.has(dotsWithParameters) {
			s = name
		}
		switch s {
		case ".":
		case "..":
			if len(out) > 0 {
				out = out[:len(out)-1]
			}
		default:
			out = append(out, s)
			continue
		}
		if i == len(segments)-1 {
			out = append(out, "")
		}
	}
	return "/" + strings.Join(out, "/")
}

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
