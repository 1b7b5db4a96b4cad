package routing

import "strings"

// pathOnly cuts a path at its query or fragment.
func pathOnly(p string) string {
	if i := strings.IndexAny(p, "?#"); i >= 0 {
		return p[:i]
	}
	return p
}

// withoutParameters cuts path parameters, by [parametersPerSegment].
func (c *choice) withoutParameters(p string) string {
	i := strings.IndexByte(p, ';')
	if i < 0 {
		return p
	}
	return byRule(c, parametersPerSegment, func() string { return cutPerSegment(p) }, func() string { return p[:i] })
}

// cutPerSegment cuts ";…" out of each segment of a path.
func cutPerSegment(p string) string {
	var b strings.Builder
	skip := false
	for i := range len(p) {
		switch c := p[i]; {
		case c == ';':
			skip = true
		case c == '/':
			skip = false
			b.WriteByte(c)
		case !skip:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// pathKinds are the ways to match a path, in the order they are looked for.
var pathKinds = [...]string{"prefix", "path", "pathSeparatedPrefix", "safeRegex", "connectMatcher", "pathMatchPolicy"}

// pathKind gives which way a match goes.
func pathKind(m message) string {
	for _, k := range pathKinds {
		if m.has(k) {
			return k
		}
	}
	return ""
}

// path tells whether the path matches. No escape is decoded here.
func (c *choice) path(m message, r *routed) bool {
	if r.Method == "CONNECT" && !m.has("connectMatcher") { // such a request has no path
		return false
	}
	p := pathOnly(r.Path)
	if c.ignoreParameters {
		p = c.withoutParameters(p)
	}
	kind := pathKind(m)
	if kind == "safeRegex" {
		return c.full(m.sub("safeRegex").text("regex"), p)
	}
	want := m.text(kind)
	if !m.flagOr("caseSensitive", true) {
		p, want = asciiLower(p), asciiLower(want)
	}
	switch kind {
	case "prefix":
		return strings.HasPrefix(p, want)
	case "path":
		return p == want
	case "pathSeparatedPrefix":
		return strings.HasPrefix(p, want) && (len(p) == len(want) || p[len(want)] == '/')
	case "connectMatcher":
		return r.Method == "CONNECT" || r.Method == "CONNECT-UDP"
	case "pathMatchPolicy":
		return c.template(m.sub("pathMatchPolicy"), pathOnly(r.Path))
	}
	return false
}

// matched gives how much of the raw path the match took, for a rewrite of
// that part; ok is false where the raw path does not begin with it (it matched
// only after its parameters were cut), and then nothing is rewritten.
func matched(m message, raw string) (n int, ok bool) {
	switch kind := pathKind(m); kind {
	case "prefix", "path", "pathSeparatedPrefix":
		want := m.text(kind)
		ok = strings.HasPrefix(raw, want)
		if !ok && !m.flagOr("caseSensitive", true) {
			ok = strings.HasPrefix(asciiLower(raw), asciiLower(want))
		}
		return len(want), ok
	}
	return len(pathOnly(raw)), true
}
