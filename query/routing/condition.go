package routing

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// misses gives the first condition of a route's match that doesn't hold. Envoy
// asks all of them, so the order is ours: what can't be decided comes last, to
// be told only where the answer hangs on it.
func (c *choice) misses(m message, r *routed) miss {
	if !c.path(m, r) {
		return miss{kind: byPath, m: m}
	}
	if m.has("grpc") && (r.Method == "CONNECT" || !isGRPC(r.headers)) { // what has no path is no gRPC
		return miss{kind: byGRPC, m: m}
	}
	c.found()
	hidden := ""
	for _, h := range m.list("headers") {
		if !c.header(h, r.headers, headersAlone) {
			if what := c.found(); what != "" {
				hidden = cmp.Or(hidden, what)
				continue
			}
			return miss{kind: byHeader, m: h}
		}
	}
	if qs := m.list("queryParameters"); len(qs) > 0 {
		params := queryOf(r.Path)
		for _, q := range qs {
			if !c.parameter(q, params) {
				if what := c.found(); what != "" {
					hidden = cmp.Or(hidden, what)
					continue
				}
				return miss{kind: byParameter, m: q}
			}
		}
	}
	for _, k := range m.list("cookies") {
		v, ok := cookiesOf(r.headers)[k.text("name")]
		c.about = "cookie " + k.text("name")
		is := ok && c.stringMatch(k.sub("stringMatch"), v)
		if what := c.found(); what != "" {
			hidden = cmp.Or(hidden, what)
			continue
		}
		if is == k.flag("invertMatch") {
			return miss{kind: byCookie, m: k}
		}
	}
	if m.has("runtimeFraction") && !c.fraction(m.sub("runtimeFraction"), r.Random) {
		return miss{kind: byFraction, m: m.sub("runtimeFraction")}
	}
	if !c.context(m, r) {
		return miss{kind: byContext, m: m}
	}
	if hidden != "" {
		return miss{kind: byDigest, what: hidden}
	}
	return miss{}
}

// context are the conditions on what the request alone does not say.
func (c *choice) context(m message, r *routed) bool {
	if t := m.sub("tlsContext"); m.has("tlsContext") {
		shown := r.TLS && !r.NoCertificate // without TLS no certificate is presented
		if shown && r.Principal == "" {
			c.unsupported("client certificate")
			return false
		}
		for _, want := range []string{"presented", "validated"} { // whose client is known has shown one that holds
			if t.has(want) && t.flag(want) != shown {
				return false
			}
		}
	}
	for _, d := range m.list("dynamicMetadata") {
		if r.Metadata == nil {
			c.unsupported("dynamic metadata")
		}
		if c.metadata(d, r.Metadata) == d.flag("invert") { // what is missing matches inverted only
			return false
		}
	}
	if len(m.list("filterState")) > 0 {
		c.unsupported("filter state")
		return false
	}
	return true
}

// fraction decides 0 and 100 percent, and anything between by the request's
// random value; without one it is a share, which is told, and taken.
func (c *choice) fraction(f message, random *uint64) bool {
	d := c.overridden(f)
	per := map[string]int64{"": 100, "HUNDRED": 100, "TEN_THOUSAND": 10_000, "MILLION": 1_000_000}[d.text("denominator")]
	n := d.number("numerator")
	if random != nil && per > 0 {
		return int64(*random%uint64(per)) < n
	}
	if n > 0 && n < per {
		c.unsupported("runtime fraction " + strconv.FormatInt(n, 10) + "/" + strconv.FormatInt(per, 10))
	}
	return n > 0
}

// overridden is a fraction's default, or what the runtime has for its key: a
// fraction, or a number of percent.
func (c *choice) overridden(f message) message {
	key := f.text("runtimeKey")
	if key == "" {
		return f.sub("defaultValue")
	}
	v, known := c.envoy.runtime(key)
	if !known {
		c.unsupported("runtime key " + key)
	}
	if n, ok := numeric(v); ok {
		return c.message(object.Of("numerator", int(n)))
	}
	if m := c.message(v); m.fields != nil {
		return m
	}
	return f.sub("defaultValue")
}

func isGRPC(h headers) bool {
	ct := h.first("content-type")
	return ct == "application/grpc" || strings.HasPrefix(ct, "application/grpc+")
}

// header is a HeaderMatcher. What becomes of a repeated header is decided by
// alone: [headersAlone], or RBAC's own rule.
func (c *choice) header(m message, h headers, alone rule) bool {
	values, exists := h[asciiLower(m.text("name"))]
	asEmpty, invert := m.flag("treatMissingHeaderAsEmpty"), m.flag("invertMatch")
	if !valued(m) {
		want := m.flagOr("presentMatch", true)
		return ((exists || asEmpty) == want) != invert
	}
	if !exists {
		if !asEmpty {
			return false // a missing header matches no value, not even inverted
		}
		values = []string{""}
	}
	if slices.Contains(c.unsaid, asciiLower(m.text("name"))) {
		c.unsupported("header " + asciiLower(m.text("name")))
		return false
	}
	c.about = "header " + asciiLower(m.text("name"))
	one := func(v string) bool { return c.headerValue(m, v) }
	is := false
	if len(values) == 1 {
		is = one(values[0])
	} else {
		is = byRule(c, alone, func() bool { return slices.ContainsFunc(values, one) }, func() bool { return one(strings.Join(values, ",")) })
	}
	if c.hidden != "" && !is {
		return false // neither so nor inverted
	}
	return is != invert
}

// valued tells a matcher of a value from one of presence.
func valued(m message) bool {
	for _, k := range []string{"stringMatch", "rangeMatch", "safeRegexMatch", "prefixMatch", "suffixMatch", "containsMatch", "exactMatch"} {
		if m.has(k) {
			return true
		}
	}
	return false
}

func (c *choice) headerValue(m message, v string) bool {
	if is, ok := c.redactedHeader(m, v); ok {
		return is
	}
	switch {
	case m.has("stringMatch"):
		return c.stringMatch(m.sub("stringMatch"), v)
	case m.has("rangeMatch"):
		r := m.sub("rangeMatch")
		n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
		return err == nil && n >= r.number("start") && n < r.number("end")
	case m.has("safeRegexMatch"):
		return c.full(m.sub("safeRegexMatch").text("regex"), v)
	case m.has("prefixMatch"):
		return strings.HasPrefix(v, m.text("prefixMatch"))
	case m.has("suffixMatch"):
		return strings.HasSuffix(v, m.text("suffixMatch"))
	case m.has("containsMatch"):
		return strings.Contains(v, m.text("containsMatch"))
	}
	want := m.text("exactMatch")
	return want == "" || v == want // the deprecated one, where empty, takes any value
}

// parameter is a QueryParameterMatcher.
func (c *choice) parameter(m message, params map[string]string) bool {
	v, ok := params[m.text("name")]
	c.about = "query parameter " + m.text("name")
	switch {
	case m.has("presentMatch"):
		return byRule(c, absentParameters, func() bool { return ok == m.flag("presentMatch") }, func() bool { return ok })
	case m.has("stringMatch"):
		return ok && c.stringMatch(m.sub("stringMatch"), v)
	}
	return ok
}

// queryOf gives the first value of each parameter. Nothing is decoded.
func queryOf(path string) map[string]string {
	params := map[string]string{}
	_, query, ok := strings.Cut(path, "?")
	if !ok || query == "" {
		return params
	}
	for pair := range strings.SplitSeq(query, "&") {
		k, v, _ := strings.Cut(pair, "=")
		if _, again := params[k]; !again {
			params[k] = v
		}
	}
	return params
}

// cookiesOf gives the first value of each cookie.
func cookiesOf(h headers) map[string]string {
	out := map[string]string{}
	for _, line := range h["cookie"] {
		for part := range strings.SplitSeq(line, ";") {
			k, v, ok := strings.Cut(strings.Trim(part, " \t"), "=")
			if !ok {
				continue
			}
			if len(v) >= 2 && v[0] == '"' && v[len(v)-1] == '"' {
				v = v[1 : len(v)-1]
			}
			if _, again := out[k]; !again {
				out[k] = v
			}
		}
	}
	return out
}
