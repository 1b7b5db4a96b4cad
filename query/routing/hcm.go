package routing

import (
	"encoding/hex"
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
