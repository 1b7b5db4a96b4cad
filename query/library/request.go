package library

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

	"github.com/meshq/kubectl-meshq/query/routing"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// parseRequest reads a request: "/path", "GET http://host:port/path",
// "tcp://host:port", "tls://host:port", or an object {method, scheme, host,
// port, path, headers, sni (empty: the client asks for no name), alpn, tls,
// principal (empty: the client has no certificate), source ("10.0.0.1",
// "[fd00::1]:80": alone, or with a port), directSource (the peer's, where a
// PROXY line gave another), destination (as source), random}, also with a url
// that the rest is beside.
func parseRequest(ctx context.Context, v any) (routing.Request, error) {
	v, err := mesh.Deep(ctx, v)
	if err != nil {
		return routing.Request{}, err
	}
	switch x := v.(type) {
	case string:
		return requestLine(x)
	case *object.Object:
		return requestObject(x)
	}
	return routing.Request{}, fmt.Errorf("a request is a string like \"GET http://host/path\" or an object, not %s", typeName(v))
}

// requestLine reads "[METHOD] /path" or "[METHOD] scheme://host[:port][/path]".
// Nothing is decoded: the path goes to the routes as it is written.
func requestLine(s string) (r routing.Request, err error) {
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
	follow(&r)
	return r, nil
}

// hostname is a host without its port.
func hostname(host string) string {
	if u, err := url.Parse("//" + host); err == nil {
		return u.Hostname()
	}
	return host
}

// follow fills in what follows from the host of a request: the port that the
// client connects to, and the name that it asks for in TLS.
func follow(r *routing.Request) {
	if r.Host == "" {
		return
	}
	u, err := url.Parse("//" + r.Host)
	if err != nil {
		return
	}
	if _, err := netip.ParseAddr(u.Hostname()); r.TLS && r.SNI == "" && !r.NoSNI && err != nil { // an address is no name to ask for
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

// requestFields are the members of a request as an object.
var requestFields = map[string]func(*routing.Request, any) bool{
	"url":    func(*routing.Request, any) bool { return false }, // read before
	"method": func(r *routing.Request, v any) bool { return into(&r.Method, v) },
	"scheme": func(r *routing.Request, v any) bool {
		ok := into(&r.Scheme, v)
		r.TLS = r.TLS || r.Scheme == "https" || r.Scheme == "tls"
		if r.Scheme == "tls" {
			r.Scheme = routing.Bytes
		}
		return ok
	},
	"host": func(r *routing.Request, v any) bool { return into(&r.Host, v) },
	"port": func(r *routing.Request, v any) bool { return intoInt(&r.DestinationPort, v) },
	"path": func(r *routing.Request, v any) bool { return into(&r.Path, v) },
	"sni": func(r *routing.Request, v any) bool {
		ok := into(&r.SNI, v)
		r.NoSNI = ok && r.SNI == ""
		return ok
	},
	"tls": func(r *routing.Request, v any) bool { b, ok := v.(bool); r.TLS = b; return ok },
	"principal": func(r *routing.Request, v any) bool {
		ok := into(&r.Principal, v)
		r.NoCertificate = ok && r.Principal == "" // which is said of none
		return ok
	},
	"source":       func(r *routing.Request, v any) bool { return intoAddress(&r.Source, &r.SourcePort, v) },
	"directSource": func(r *routing.Request, v any) bool { return intoAddress(&r.DirectSource, new(int), v) },
	"destination":  func(*routing.Request, any) bool { return false }, // read at last
	"alpn":         func(r *routing.Request, v any) (ok bool) { r.ALPN, ok = texts(v); return ok },
	"digests":      func(r *routing.Request, v any) (ok bool) { r.Digests, ok = textMap(v); return ok },
	"headers":      func(r *routing.Request, v any) (ok bool) { r.Headers, ok = headerList(v); return ok },
	"random": func(r *routing.Request, v any) bool {
		n := 0
		ok := intoInt(&n, v) && n >= 0
		u := uint64(n)
		r.Random = &u
		return ok
	},
}

func requestObject(m *object.Object) (routing.Request, error) {
	to := m.Get("destination")
	m = m.Clone()
	m.Delete("destination")
	r, err := requestTo(m)
	if err == nil && to != nil && !intoAddress(&r.Destination, &r.DestinationPort, to) {
		err = unfit("destination", to)
	}
	return r, err
}

// unfit says that a member of a request can't be a value.
func unfit(name string, v any) error {
	if s, ok := v.(string); ok {
		if err := CheckAddress(s); err != nil && slices.Contains([]string{"source", "directSource", "destination"}, name) {
			return fmt.Errorf("a request's %s: %w", name, err)
		}
	}
	return fmt.Errorf("a request's %s can't be %s", name, typeName(v))
}

// requestTo reads a request without the address that it is sent to: a port of
// that one is none of the host's.
func requestTo(m *object.Object) (routing.Request, error) {
	r := routing.Request{Method: "GET", Path: "/"}
	if line, ok := m.Get("url").(string); ok { // what else is said goes before it
		var err error
		if r, err = requestLine(line); err != nil {
			return r, err
		}
		m.Delete("url")
	}
	for _, k := range m.Sorted() {
		set, known := requestFields[k]
		if !known {
			return r, fmt.Errorf("a request has no %s; it has %s", k, strings.Join(slices.Sorted(maps.Keys(requestFields)), ", "))
		}
		if m.Get(k) != nil && !set(&r, m.Get(k)) {
			return r, unfit(k, m.Get(k))
		}
	}
	for i, h := range r.Headers { // what is sent as the host, whatever is connected to
		if strings.EqualFold(h[0], "host") && h[1] != "" {
			if addr, err := netip.ParseAddr(hostname(r.Host)); err == nil && r.Destination == "" {
				r.Destination = addr.String()
			}
			r.Host, r.Headers = h[1], slices.Delete(r.Headers, i, i+1)
			follow(&r)
			return r, nil
		}
	}
	// A port belongs to the host that is sent, unless it is the scheme's own.
	def := 80
	if r.TLS {
		def = 443
	}
	if p := r.DestinationPort; p != 0 && p != def && r.Host != "" && !strings.Contains(r.Host, ":") {
		r.Host += ":" + strconv.Itoa(p)
	}
	follow(&r)
	return r, nil
}

func into(s *string, v any) (ok bool) {
	*s, ok = v.(string)
	return ok
}

func intoInt(n *int, v any) bool {
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

// headerList reads {"name": "value"} or {"name": ["value", …]}, in the order
// of names.
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

// textMap reads an object of texts.
func textMap(v any) (map[string]string, bool) {
	m, ok := v.(*object.Object)
	out := map[string]string{}
	for k, v := range m.All() {
		s, isText := v.(string)
		out[k], ok = s, ok && isText
	}
	return out, ok
}
