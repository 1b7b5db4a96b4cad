package random

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Request is an HTTP/1.1 request.
type Request struct {
	Method, Host, Path string
	Headers            [][2]string
}

// Request returns a random request that is likely to match one of the routes.
func (s Source) Request(of Routes) Request {
	hosts := of.Config["virtual_hosts"].([]any)
	h := pick(s, hosts...).(message)
	r := Request{Method: pick(s, "GET", "GET", "GET", "POST", "PUT", "HEAD"), Host: s.host(), Path: s.path()}
	if !s.oneIn(4) {
		r.Host = s.hostOf(pick(s, h["domains"].([]any)...).(string))
	}
	if header, ok := of.Config["vhost_header"].(string); ok && s.flip() {
		r.add(header, r.Host)
		r.Host = s.host()
	}
	if matches := matchesIn(h); !s.oneIn(4) && len(matches) > 0 {
		s.satisfy(&r, pick(s, matches...))
	}
	s.addNoise(&r)
	r.add(WeightHeader, strconv.Itoa(s.IntN(1000)))
	if s.oneIn(20) {
		r.set(WeightHeader, pick(s, "-1", "abc", "18446744073709551616", "007", ""))
	}
	s.makeTunnel(&r)
	return r
}

func (r *Request) add(name, value string) { r.Headers = append(r.Headers, [2]string{name, value}) }

// set replaces all headers of that name by one.
func (r *Request) set(name, value string) {
	r.remove(name)
	r.add(name, value)
}

func (r *Request) remove(name string) {
	r.Headers = slices.DeleteFunc(r.Headers, func(h [2]string) bool { return strings.EqualFold(h[0], name) })
}

// matchesIn returns the matches inside a message, in the order of its keys. A match is a RouteMatch or a condition of a
// matcher tree.
func matchesIn(v any) (all []message) {
	switch x := v.(type) {
	case []any:
		for _, w := range x {
			all = append(all, matchesIn(w)...)
		}
	case message:
		if m, ok := x["match"].(message); ok {
			all = append(all, m)
		}
		if x["input"] != nil {
			all = append(all, x)
		}
		for _, k := range slices.Sorted(maps.Keys(x)) {
			all = append(all, matchesIn(x[k])...)
		}
	}
	return all
}

// Satisfy changes a request so that it probably satisfies a RouteMatch.
func (s Source) Satisfy(r *Request, match map[string]any) { s.satisfy(r, match) }

// satisfy changes a request so that it probably satisfies a RouteMatch or a condition of a matcher tree.
func (s Source) satisfy(r *Request, m message) {
	if m["input"] != nil {
		s.satisfyInput(r, m)
		return
	}
	s.satisfyPath(r, m)
	for _, h := range list(m["headers"]) {
		if !s.oneIn(4) {
			s.satisfyHeader(r, h)
		}
	}
	for _, q := range list(m["query_parameters"]) {
		if q["present_match"] != false && !s.oneIn(4) {
			v := s.value()
			if text, ok := q["string_match"].(message); ok {
				v = s.fittingText(text)
			}
			s.addParameter(r, q["name"].(string), v)
		}
	}
	for _, c := range list(m["cookies"]) {
		if !s.oneIn(4) {
			r.add("cookie", c["name"].(string)+"="+s.fittingText(c["string_match"].(message)))
		}
	}
	if m["grpc"] != nil && !s.oneIn(4) {
		r.set("content-type", pick(s, "application/grpc", "application/grpc+proto"))
	}
}

func list(v any) (all []message) {
	a, _ := v.([]any)
	for _, e := range a {
		all = append(all, e.(message))
	}
	return all
}

// addParameter adds a query parameter.
func (s Source) addParameter(r *Request, name, value string) {
	sep := "?"
	if strings.Contains(r.Path, "?") {
		sep = "&"
	}
	r.Path += sep + name + "=" + strings.NewReplacer(" ", "+", "é", "%E9").Replace(value)
}

func (s Source) satisfyPath(r *Request, m message) {
	switch {
	case m["prefix"] != nil:
		r.Path = m["prefix"].(string) + pick(s, "", "", "a", "/b")
	case m["path"] != nil:
		r.Path = m["path"].(string)
	case m["path_separated_prefix"] != nil:
		r.Path = m["path_separated_prefix"].(string) + pick(s, "", "/", "/b", "y")
	case m["safe_regex"] != nil:
		r.Path, _ = s.fitting(m["safe_regex"].(message)["regex"].(string))
	case m["connect_matcher"] != nil:
		if s.flip() {
			r.Method = "CONNECT"
		}
	case m["path_match_policy"] != nil:
		r.Path = pick(s, "/a/b", "/a/b/c", "/x/b", "/a", "/a/", "/a/q.b", "/q/a;x", "/a.b/z/z", "/a/w/v", "/a/y/b", "/a.b/")
	}
	if !strings.HasPrefix(r.Path, "/") {
		r.Path = "/" + r.Path
	}
	if m["case_sensitive"] == false && s.oneIn(3) {
		r.Path = strings.ToUpper(r.Path)
	}
}

func (s Source) satisfyHeader(r *Request, h message) {
	name := h["name"].(string)
	v := s.value()
	if text, ok := h["string_match"].(message); ok {
		v = s.fittingText(text)
	}
	for _, kind := range []string{"exact_match", "prefix_match", "suffix_match", "contains_match"} {
		if w, ok := h[kind].(string); ok {
			v = w
		}
	}
	if g, ok := h["range_match"].(message); ok {
		v = strconv.Itoa(number(g["start"]) + s.IntN(3))
	}
	s.addHeader(r, name, v)
}

// number converts a number that was generated here or decoded from JSON.
func number(v any) int {
	switch n := v.(type) {
	case int:
		return n
	case float64:
		return int(n)
	}
	return 0
}

// addHeader adds a header to a request. A pseudo-header changes the corresponding part of the request instead.
func (s Source) addHeader(r *Request, name, v string) {
	switch strings.ToLower(name) {
	case ":method":
		if v == "GET" || v == "POST" {
			r.Method = v
		}
	case ":path", ":scheme":
	case ":authority", "host":
		if v != "" && !strings.ContainsAny(v, " ,é/") {
			r.Host = v
		}
	case "content-type", "x-forwarded-proto", "x-forwarded-for":
		r.set(name, v)
	case "connection": // Envoy would act on the value
		r.add(name, "keep-alive")
	case "te":
		r.add(name, pick(s, v, "trailers", "gzip, trailers"))
	case "keep-alive":
		r.add(name, "timeout=5")
	default:
		r.add(name, v)
	}
}

func (s Source) satisfyInput(r *Request, m message) {
	v := s.value()
	if text, ok := m["value_match"].(message); ok {
		v = s.fittingText(text)
	}
	for _, kind := range []string{"exact_match_map", "prefix_match_map"} {
		if on, ok := m[kind].(message); ok {
			v = pick(s, slices.Sorted(maps.Keys(on["map"].(message)))...) + pick(s, "", "", "b")
		}
	}
	s.addHeader(r, m["input"].(message)["typed_config"].(message)["header_name"].(string), v)
}

// addNoise adds parts that may or may not change the result.
func (s Source) addNoise(r *Request) {
	if s.oneIn(4) {
		r.Path += pick(s, "?q=v", "?q", "?r=w&q=v", "?q=v&q=w", "?", "??q=v", "?Q=V", "?q=%76", "?q=a+b&r", "?=v")
	}
	if s.oneIn(8) {
		r.Path = pick(s, "/a/../b", "/a/./b", "/%61/b", "/a%2Fb", "/a//b", `/a\b`, "/a=b", "/a*b", `/a"b`, "/a|b", "/a<b", "/a[b", "/a^b", "/a{b}", "/a`b", "/a:@b", "/..;x/a", "/a/..;x/b", "/a;x/b;y", "/a;/b", "//a", "/a%5cb", "/a/..", "/a#f", "/%41b", "/a%00", "/a/%2e%2e/b", "/%7ea", "/a%zz", "/.", "/a/.;x/b", "/a%2f%2fb")
	}
	for s.oneIn(2) {
		name := pick(s, headerNames()...)
		if strings.HasPrefix(name, ":") || name == "Host" {
			continue
		}
		s.addHeader(r, name, s.value())
	}
	if s.oneIn(6) {
		r.add("cookie", pick(s, "c=v", "d=w; c=1", `c="v"`, "c=v; c=w", "c", "d=", ";c=v;", "c=v=w", "c =v", ` c="`))
	}
	switch s.IntN(10) {
	case 0:
		r.set("content-type", pick(s, "application/grpc", "application/grpc+proto", "application/grpc-web", "application/grpc; x", "text/plain"))
	case 1:
		r.set("x-forwarded-proto", pick(s, "http", "https", "HTTPS", "ftp", "", "http,https"))
	case 2:
		r.set("x-forwarded-for", pick(s, "10.0.0.1", "1.2.3.4", "10.0.0.1,10.0.0.2", "1.2.3.4, 10.0.0.1", "x"))
	case 3:
		r.set("x-cluster", pick(s, "c0", "c1", "missing", ""))
	case 4:
		r.set("x-envoy-internal", "true")
	case 5:
		r.add("x-host", pick(s, "h1.com", "", "h2.com:8080"))
	}
}

// makeTunnel turns a few requests into CONNECT or upgrade requests.
func (s Source) makeTunnel(r *Request) {
	switch {
	case r.Method == "CONNECT" || s.oneIn(60):
		if r.Method = "CONNECT"; !hasPort(r.Host) {
			r.Host = pick(s, "a.foo:80", "ab.bar:8080", "x-b.com:443")
		}
		r.Path = r.Host
	case s.oneIn(40):
		r.add("connection", pick(s, "upgrade", "keep-alive, Upgrade", "close"))
		r.add("upgrade", pick(s, "websocket", "WebSocket", "other"))
	}
}

// hasPort reports whether a host has a valid port, which CONNECT requires.
func hasPort(host string) bool {
	name, port, _ := strings.Cut(host, ":")
	_, err := strconv.ParseUint(port, 10, 16)
	return err == nil && name != ""
}
