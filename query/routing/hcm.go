package routing

import (
	"encoding/hex"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// An HCM has the settings by which an HTTP connection manager (HCM) changes a
// request before it is routed. The zero HCM changes nothing.
type HCM struct {
	StripAnyHostPort      bool
	StripTrailingHostDot  bool
	StripMatchingHostPort int // the listener's port if strip_matching_host_port is set; otherwise 0
	MergeSlashes          bool
	NormalizePath         bool
	// the setting path_with_escaped_slashes_action; if empty, escaped slashes
	// stay unchanged
	EscapedSlashes string

	// Edge are the settings for the headers that describe the origin of a
	// request. If it is nil, these headers stay unchanged.
	Edge *Edge

	// Upgrades are the protocols to which an upgrade is allowed, in lower case.
	// If it is nil, upgrades are not checked.
	Upgrades map[string]bool

	Envoy // the Envoy that runs the connection manager
}

// prepare returns the request in the form that it has when routes are matched. If
// the connection manager answers the request itself, prepare returns that answer.
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
	if r.Method == "CONNECT" { // a CONNECT request has no path
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

// unescaped decodes the escaped slashes in a path if the connection manager is
// configured to do so. It reports whether the path contained any.
func (m HCM) unescaped(p string) (string, bool) {
	switch m.EscapedSlashes {
	case "REJECT_REQUEST", "UNESCAPE_AND_REDIRECT", "UNESCAPE_AND_FORWARD":
		q := strings.NewReplacer("%2F", "/", "%2f", "/", "%5C", `\`, "%5c", `\`).Replace(p)
		return q, q != p
	}
	return p, false
}

// withoutDot removes a dot at the end of a host or before its port: "a.:80"
// becomes "a:80".
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

// normalized returns the normalized path: it resolves dot segments, replaces
// backslashes by slashes, decodes the escapes of unreserved characters, and
// escapes characters that a path must not contain. It keeps %2F. It returns false
// for a path with %00, which Envoy rejects.
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

// withoutDots resolves the segments "." and ".." of a path, as RFC 3986 §5.2.4
// describes. The result for segments such as "..;x" depends on Envoy's version;
// see [dotsWithParameters].
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

// An Edge has the settings by which a connection manager determines the origin of
// a request. The connection manager sets or removes x-forwarded-proto and the
// x-envoy-… headers, which clients outside of the mesh must not set.
type Edge struct {
	UseRemoteAddress bool
	TrustedHops      int
	SkipXFFAppend    bool
	Scheme           string         // the setting scheme_to_overwrite; empty if it isn't set
	Internal         []netip.Prefix // the prefixes of the internal addresses
	Via              string         // the value that is appended to the header via; empty if nothing is appended
	NoRequestID      bool           // true if the connection manager doesn't generate an x-request-id
	KeepRequestID    bool           // true if the connection manager keeps the x-request-id of an external client
	ClientCert       string         // the setting forward_client_cert_details; if empty, SANITIZE
}

// internalOnlyHeaders lists the headers that Envoy removes from requests that
// are not internal.
const internalOnlyHeaders = " x-envoy-retriable-status-codes x-envoy-retriable-header-names x-envoy-retry-on x-envoy-retry-grpc-on x-envoy-max-retries" +
	" x-envoy-upstream-alt-stat-name x-envoy-upstream-rq-timeout-ms x-envoy-upstream-rq-per-try-timeout-ms x-envoy-upstream-rq-timeout-alt-response" +
	" x-envoy-expected-rq-timeout-ms x-envoy-upstream-stream-duration-ms x-envoy-force-trace x-envoy-ip-tags x-envoy-original-url x-envoy-hedge-on-per-try-timeout "

// edgeRemovedHeaders lists the headers that Envoy also removes from external
// requests if use_remote_address is set.
const edgeRemovedHeaders = " x-envoy-decorator-operation x-envoy-downstream-service-cluster x-envoy-downstream-service-node "

// hopByHopHeaders lists the headers that apply to a single connection and are
// never forwarded.
const hopByHopHeaders = " keep-alive proxy-connection transfer-encoding "

// withHeaders returns the request with the headers that the connection manager
// forwards. unknown are the names of headers to which Envoy assigns a value that
// this package can't determine.
func (e *Edge) withHeaders(r Request, internalOnly []string) (_ Request, unknown []string) {
	from, internal := e.clientAddress(&r)
	r.remote = from
	edge := e.UseRemoteAddress && !internal
	own := e.Scheme != "" || e.UseRemoteAddress && e.TrustedHops == 0
	upgrade := r.Method != "CONNECT" && (&routed{r, r.headers()}).upgrade() != ""
	te := r.headers().first("te")
	headers := slices.DeleteFunc(slices.Clone(r.Headers), func(h [2]string) bool {
		name := asciiLower(h[0])
		in := func(names string) bool { return strings.Contains(names, " "+name+" ") }
		return name == "x-envoy-internal" || own && name == "x-forwarded-proto" || in(hopByHopHeaders) ||
			!upgrade && (in(" connection upgrade ") || name == "te" && te != "") || edge && (in(edgeRemovedHeaders) || name == "x-envoy-external-address") ||
			!internal && (in(internalOnlyHeaders) || slices.ContainsFunc(internalOnly, func(s string) bool { return asciiLower(s) == name }))
	})
	if !upgrade && slices.ContainsFunc(strings.Split(te, ","), func(s string) bool { return asciiLower(strings.TrimSpace(s)) == "trailers" }) {
		headers = append(headers, [2]string{"te", "trailers"}) // Envoy removes all other values of the header te
	}
	if e.Scheme != "" {
		headers = append(headers, [2]string{"x-forwarded-proto", e.Scheme})
	} else if e.UseRemoteAddress {
		r.Scheme = "" // Envoy ignores the scheme in the client's request
	}
	if internal {
		headers = append(headers, [2]string{"x-envoy-internal", "true"})
	}
	if e.Via != "" {
		headers = append(headers, [2]string{"via", e.Via})
	}
	if e.UseRemoteAddress && !e.SkipXFFAppend {
		headers = append(headers, [2]string{"x-forwarded-for", r.Source})
		if r.Source == "" || loopback(r.Source) { // for a local peer, Envoy uses the address of the host
			unknown = append(unknown, "x-forwarded-for")
		}
	}
	if edge {
		headers = append(headers, [2]string{"x-envoy-external-address", from})
		if from == "" {
			unknown = append(unknown, "x-envoy-external-address")
		}
	}
	r.Headers = headers
	return e.withIdentity(r, edge, unknown)
}

// withIdentity sets or removes the headers that identify the request and its
// client: x-request-id and x-forwarded-client-cert.
func (e *Edge) withIdentity(r Request, edge bool, unknown []string) (Request, []string) {
	is := func(name string) func([2]string) bool {
		return func(h [2]string) bool { return asciiLower(h[0]) == name }
	}
	has := slices.ContainsFunc(r.Headers, func(h [2]string) bool { return asciiLower(h[0]) == "x-request-id" && h[1] != "" })
	if !e.NoRequestID && (!has || edge && !e.KeepRequestID) {
		r.Headers = append(slices.DeleteFunc(r.Headers, is("x-request-id")), [2]string{"x-request-id", ""})
		unknown = append(unknown, "x-request-id")
	}
	const certs = "x-forwarded-client-cert"
	switch mutual := r.Principal != ""; {
	case e.ClientCert == "ALWAYS_FORWARD_ONLY":
	case e.ClientCert == "" || e.ClientCert == "SANITIZE" || !r.TLS || r.NoCertificate:
		r.Headers = slices.DeleteFunc(r.Headers, is(certs))
	case e.ClientCert == "FORWARD_ONLY":
		if !mutual {
			unknown = append(unknown, certs)
		}
	default:
		r.Headers = append(r.Headers, [2]string{certs, ""})
		unknown = append(unknown, certs)
	}
	return r, unknown
}

// clientAddress returns the address from which the request comes, or "" if it
// isn't known, and whether the address is internal. With use_remote_address it is
// the peer's address, unless trusted hops are configured. Otherwise it is taken
// from x-forwarded-for. The address is internal only if x-forwarded-for contains
// no other address.
func (e *Edge) clientAddress(r *Request) (address string, internal bool) {
	said, ok := r.headers()["x-forwarded-for"]
	alone := !ok
	if e.UseRemoteAddress {
		if e.TrustedHops > 0 && ok {
			address, _ = forwardedAddress(said[0], e.TrustedHops-1)
		}
		if address == "" {
			address = r.Source
		}
	} else if ok {
		address, alone = forwardedAddress(said[0], e.TrustedHops)
	}
	addr, err := netip.ParseAddr(address)
	return address, alone && err == nil && slices.ContainsFunc(e.Internal, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// forwardedAddress returns the address in x-forwarded-for that exactly others
// other addresses follow. It returns "" if there is no such address or it is
// invalid. alone is true if it is the only address.
func forwardedAddress(said string, others int) (address string, alone bool) {
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
