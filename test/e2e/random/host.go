package random

import "strings"

// host returns a random host, as in a request's Host header or in a virtual host's domains.
func (s Source) host() string {
	if s.oneIn(20) {
		return pick(s, "[::1]", "[::1]:80", "1.2.3.4", "1.2.3.4:80")
	}
	h := pick(s, "a", "b", "ab", "x-b", "a-b", "") + pick(s, ".", "") + pick(s, "foo", "bar", "foo.bar", "b") + pick(s, "", ".com", ".org", ".com.", ".svc.cluster.local")
	if s.oneIn(4) {
		h += pick(s, ":80", ":8080", ":", ":x", ":443")
	}
	if s.oneIn(5) {
		h = strings.ToUpper(h)
	}
	return h
}

// domain returns a random domain of a virtual host.
func (s Source) domain() string {
	switch s.IntN(6) {
	case 0:
		return "*" + pick(s, ".foo", ".com", "-b.foo", ".foo.bar.com", "b.com", ".bar", "foo", ".com:80", ".Com")
	case 1:
		return pick(s, "a.", "ab", "a.foo.", "x-", "foo.", "b.bar", "a", "A") + "*"
	}
	return s.host()
}

// hostOf returns a host that probably matches a domain.
func (s Source) hostOf(domain string) string {
	h := strings.ReplaceAll(domain, "*", pick(s, "a", "", "x-b", "q.r"))
	switch s.IntN(12) {
	case 0:
		h = strings.ToUpper(h)
	case 1:
		h += pick(s, ":80", ".", ":", ".:80", ":99999")
	case 2:
		h, _, _ = strings.Cut(h, ":")
	}
	return h
}

// path returns a random path without a query.
func (s Source) path() string {
	p := ""
	for range s.IntN(4) {
		p += pick(s, "/", "/", "/", "//") + pick(s, "a", "A", "b", "ab", "Ab", "c1", "1", "a.b", "a;x", "%61", "b;", ";x")
	}
	if p == "" || s.oneIn(5) {
		p += "/"
	}
	return p
}
