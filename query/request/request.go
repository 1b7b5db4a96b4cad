// Package request parses the requests that match and trace follow, as users write
// them: "GET http://reviews:9080/reviews/1", or an object with the parts of a request
// and of its connection.
//
// Start with Parse. The package knows the forms, not what a request means to a proxy:
// package routing decides that.
package request

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/meshq/kubectl-meshq/query/document"
	"github.com/meshq/kubectl-meshq/query/routing"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// Parse parses a request: either a string that parseLine accepts, or an
// object with the members in members. If an object has the member url, its
// other members take precedence over the URL. An empty sni means that the client
// sends no server name. An empty principal means that it presents no certificate. A
// source or destination is an address with or without a port: "10.0.0.1",
// "[fd00::1]:80".
func Parse(ctx context.Context, v any) (routing.Request, error) {
	v, err := mesh.Deep(ctx, v)
	if err != nil {
		return routing.Request{}, err
	}
	switch x := v.(type) {
	case string:
		return parseLine(x)
	case *object.Object:
		return FromObject(x)
	}
	return routing.Request{}, fmt.Errorf("a request is a string like \"GET http://host/path\" or an object, not %s", document.TypeName(v))
}

// parseLine parses "[METHOD] /path" or "[METHOD] scheme://host[:port][/path]",
// where the scheme is http, https, tcp or tls. It doesn't decode the path, because
// Envoy matches the path as the client sends it.
func parseLine(s string) (r routing.Request, err error) {
	r.Method = "GET"
	target := s
	if method, rest, ok := strings.Cut(s, " "); ok && method != "" && !strings.ContainsAny(method, "/:") {
		r.Method, target = strings.ToUpper(method), strings.TrimSpace(rest)
	}
	if strings.HasPrefix(target, "/") {
		r.Path = target
		return r, nil
	}
	scheme, rest, ok := strings.Cut(target, "://")
	switch scheme {
	case "http", "https":
		r.Scheme, r.TLS = scheme, scheme == "https"
	case "tcp", "tls":
		r.Scheme, r.TLS = routing.Bytes, scheme == "tls"
	default:
		ok = false
	}
	if !ok {
		return r, fmt.Errorf("%q is no request like /path or GET http://host:port/path", s)
	}
	r.Host, r.Path = rest, "/"
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		r.Host, r.Path = rest[:i], rest[i:]
		if rest[i] != '/' {
			r.Path = "/" + r.Path
		}
	}
	if r.Host == "" || strings.ContainsAny(r.Host, " @") {
		return r, fmt.Errorf("%q is no request like /path or GET http://host:port/path", s)
	}
	setConnection(&r)
	return r, nil
}

// Hostname returns a host without its port.
func Hostname(host string) string {
	if u, err := url.Parse("//" + host); err == nil {
		return u.Hostname()
	}
	return host
}

// setConnection sets the members of a request that depend on its host: the port
// that the client connects to and, with TLS, the server name (SNI).
func setConnection(r *routing.Request) {
	if r.Host == "" {
		return
	}
	u, err := url.Parse("//" + r.Host)
	if err != nil {
		return
	}
	if _, err := netip.ParseAddr(u.Hostname()); r.TLS && r.SNI == "" && !r.NoSNI && err != nil { // an SNI is a name, never an address
		r.SNI = u.Hostname()
	}
	if r.DestinationPort != 0 || r.Scheme == "" && u.Port() == "" {
		return
	}
	if n, err := strconv.Atoi(u.Port()); err == nil {
		r.DestinationPort = n
	} else if r.DestinationPort = 80; r.TLS {
		r.DestinationPort = 443
	}
}

// members are the members of a request in the form of an object. Each function
// sets one field of the request. It returns false if the value isn't valid for that
// field.
var members = map[string]func(*routing.Request, any) bool{
	"url":    func(*routing.Request, any) bool { return false }, // FromObject reads the member url
	"method": func(r *routing.Request, v any) bool { return setText(&r.Method, v) },
	"scheme": func(r *routing.Request, v any) bool {
		ok := setText(&r.Scheme, v)
		r.TLS = r.TLS || r.Scheme == "https" || r.Scheme == "tls"
		if r.Scheme == "tls" {
			r.Scheme = routing.Bytes
		}
		return ok
	},
	"host": func(r *routing.Request, v any) bool { return setText(&r.Host, v) },
	"port": func(r *routing.Request, v any) bool { return setInt(&r.DestinationPort, v) },
	"path": func(r *routing.Request, v any) bool { return setText(&r.Path, v) },
	"sni": func(r *routing.Request, v any) bool {
		ok := setText(&r.SNI, v)
		r.NoSNI = ok && r.SNI == ""
		return ok
	},
	"tls": func(r *routing.Request, v any) bool { b, ok := v.(bool); r.TLS = b; return ok },
	"principal": func(r *routing.Request, v any) bool {
		ok := setText(&r.Principal, v)
		r.NoCertificate = ok && r.Principal == ""
		return ok
	},
	"source":       func(r *routing.Request, v any) bool { return SetAddress(&r.Source, &r.SourcePort, v) },
	"directSource": func(r *routing.Request, v any) bool { return SetAddress(&r.DirectSource, new(int), v) },
	"destination":  func(*routing.Request, any) bool { return false }, // FromObject reads the member destination
	"alpn":         func(r *routing.Request, v any) (ok bool) { r.ALPN, ok = texts(v); return ok },
	"digests":      func(r *routing.Request, v any) (ok bool) { r.Digests, ok = textMap(v); return ok },
	"headers":      func(r *routing.Request, v any) (ok bool) { r.Headers, ok = headerList(v); return ok },
	"random": func(r *routing.Request, v any) bool {
		n := 0
		ok := setInt(&n, v) && n >= 0
		u := uint64(n)
		r.Random = &u
		return ok
	},
}

// FromObject parses a request in the form of an object, as Parse does. The object is
// loaded completely.
func FromObject(m *object.Object) (routing.Request, error) {
	to := m.Get("destination")
	m = m.Clone()
	m.Delete("destination")
	r, err := parseMembers(m)
	if err == nil && to != nil && !SetAddress(&r.Destination, &r.DestinationPort, to) {
		err = invalidMember("destination", to)
	}
	return r, err
}

// invalidMember returns the error for a value that isn't valid for a member of a
// request.
func invalidMember(name string, v any) error {
	if s, ok := v.(string); ok {
		if err := CheckAddress(s); err != nil && slices.Contains([]string{"source", "directSource", "destination"}, name) {
			return fmt.Errorf("a request's %s: %w", name, err)
		}
	}
	return fmt.Errorf("a request's %s can't be %s", name, document.TypeName(v))
}

// parseMembers parses a request that has a member destination. It removes that member
// first, so that the port of the destination doesn't become a part of the host.
func parseMembers(m *object.Object) (routing.Request, error) {
	r := routing.Request{Method: "GET", Path: "/"}
	if line, ok := m.Get("url").(string); ok {
		var err error
		if r, err = parseLine(line); err != nil {
			return r, err
		}
		m.Delete("url")
	}
	for _, k := range m.Sorted() {
		set, known := members[k]
		if !known {
			return r, fmt.Errorf("a request has no %s; it has %s", k, strings.Join(slices.Sorted(maps.Keys(members)), ", "))
		}
		if m.Get(k) != nil && !set(&r, m.Get(k)) {
			return r, invalidMember(k, m.Get(k))
		}
	}
	for i, h := range r.Headers { // a host header replaces the host, not the address that the client connects to
		if strings.EqualFold(h[0], "host") && h[1] != "" {
			if addr, err := netip.ParseAddr(Hostname(r.Host)); err == nil && r.Destination == "" {
				r.Destination = addr.String()
			}
			r.Host, r.Headers = h[1], slices.Delete(r.Headers, i, i+1)
			setConnection(&r)
			return r, nil
		}
	}
	// A client also puts the port into the host header, unless it is the default
	// port of the scheme.
	def := 80
	if r.TLS {
		def = 443
	}
	if p := r.DestinationPort; p != 0 && p != def && r.Host != "" && !strings.Contains(r.Host, ":") {
		r.Host += ":" + strconv.Itoa(p)
	}
	setConnection(&r)
	return r, nil
}

func setText(s *string, v any) (ok bool) {
	*s, ok = v.(string)
	return ok
}

func setInt(n *int, v any) bool {
	switch x := v.(type) {
	case int:
		*n = x
		return true
	case float64:
		*n = int(x)
		return float64(*n) == x
	case json.Number:
		i, err := strconv.Atoi(string(x))
		*n = i
		return err == nil
	}
	return false
}

func texts(v any) ([]string, bool) {
	a, ok := v.([]any)
	out := make([]string, len(a))
	for i := range a {
		s, isText := a[i].(string)
		out[i], ok = s, ok && isText
	}
	return out, ok
}

// headerList returns the headers of an object of the form {"name": "value"} or
// {"name": ["value", …]}, sorted by name.
func headerList(v any) ([][2]string, bool) {
	m, ok := v.(*object.Object)
	var out [][2]string
	for _, k := range m.Sorted() {
		switch x := m.Get(k).(type) {
		case string:
			out = append(out, [2]string{k, x})
		default:
			values, isList := texts(x)
			ok = ok && isList
			for _, s := range values {
				out = append(out, [2]string{k, s})
			}
		}
	}
	return out, ok
}

func textMap(v any) (map[string]string, bool) {
	m, ok := v.(*object.Object)
	out := map[string]string{}
	for k, v := range m.All() {
		s, isText := v.(string)
		out[k], ok = s, ok && isText
	}
	return out, ok
}

// parseAddress parses an address with or without a port: "10.0.0.1",
// "10.0.0.1:80", "fd00::1", "[fd00::1]" or "[fd00::1]:80". It returns the address as
// Envoy writes it: without a zone, and an IPv4-mapped IPv6 address as IPv4. The port
// is 0 if there is none.
func parseAddress(s string) (address string, port int, err error) {
	if at, err := netip.ParseAddrPort(s); err == nil {
		return canonical(at.Addr()), int(at.Port()), nil
	}
	inner, bracketed := strings.CutPrefix(s, "[")
	if bracketed {
		inner, bracketed = strings.CutSuffix(inner, "]")
	}
	addr, err := netip.ParseAddr(inner)
	if err != nil || bracketed && addr.Is4() || strings.HasPrefix(s, "[") != bracketed {
		return "", 0, fmt.Errorf("%q is no address like 10.0.0.1, 10.0.0.1:80, fd00::1 or [fd00::1]:80", s)
	}
	return canonical(addr), 0, nil
}

func canonical(addr netip.Addr) string { return addr.Unmap().WithZone("").String() }

// CheckAddress returns an error if a string can't be the source or destination of a
// request. It has to be an address like "10.0.0.1" or "[fd00::1]:80".
func CheckAddress(s string) error {
	_, _, err := parseAddress(s)
	return err
}

// SetAddress sets an address of a request, and its port if the string v has one. An
// empty string clears the address. ok is false if v isn't such a string.
func SetAddress(s *string, port *int, v any) (ok bool) {
	text := ""
	if !setText(&text, v) {
		return false
	}
	if text == "" {
		*s = ""
		return true
	}
	address, n, err := parseAddress(text)
	if err != nil {
		return false
	}
	if *s = address; n != 0 {
		*port = n
	}
	return true
}
