package routing

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/meshq/kubectl-meshq/query/document"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// misses gives the first condition of a route's match that doesn't hold. Envoy
// asks all of them, so the order is ours: what can't be decided comes last, to
// be told only where the answer hangs on it.
func (c *matcher) misses(m document.Message, r *routed) miss {
	if !c.path(m, r) {
		return miss{kind: byPath, m: m}
	}
	if m.Has("grpc") && (r.Method == "CONNECT" || !isGRPC(r.headers)) { // what has no path is no gRPC
		return miss{kind: byGRPC, m: m}
	}
	c.found()
	hidden := ""
	for _, h := range m.List("headers") {
		if !c.header(h, r.headers, headersAlone) {
			if what := c.found(); what != "" {
				hidden = cmp.Or(hidden, what)
				continue
			}
			return miss{kind: byHeader, m: h}
		}
	}
	if qs := m.List("queryParameters"); len(qs) > 0 {
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
	for _, k := range m.List("cookies") {
		v, ok := cookiesOf(r.headers)[k.Text("name")]
		c.about = "cookie " + k.Text("name")
		is := ok && c.stringMatch(k.Sub("stringMatch"), v)
		if what := c.found(); what != "" {
			hidden = cmp.Or(hidden, what)
			continue
		}
		if is == k.Flag("invertMatch") {
			return miss{kind: byCookie, m: k}
		}
	}
	if m.Has("runtimeFraction") && !c.fraction(m.Sub("runtimeFraction"), r.Random) {
		return miss{kind: byFraction, m: m.Sub("runtimeFraction")}
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
func (c *matcher) context(m document.Message, r *routed) bool {
	if t := m.Sub("tlsContext"); m.Has("tlsContext") {
		shown := r.TLS && !r.NoCertificate // without TLS no certificate is presented
		if shown && r.Principal == "" {
			c.unsupported("client certificate")
			return false
		}
		for _, want := range []string{"presented", "validated"} { // whose client is known has shown one that holds
			if t.Has(want) && t.Flag(want) != shown {
				return false
			}
		}
	}
	for _, d := range m.List("dynamicMetadata") {
		if r.Metadata == nil {
			c.unsupported("dynamic metadata")
		}
		if c.metadata(d, r.Metadata) == d.Flag("invert") { // what is missing matches inverted only
			return false
		}
	}
	if len(m.List("filterState")) > 0 {
		c.unsupported("filter state")
		return false
	}
	return true
}

// fraction decides 0 and 100 percent, and anything between by the request's
// random value; without one it is a share, which is told, and taken.
func (c *matcher) fraction(f document.Message, random *uint64) bool {
	d := c.overridden(f)
	per := map[string]int64{"": 100, "HUNDRED": 100, "TEN_THOUSAND": 10_000, "MILLION": 1_000_000}[d.Text("denominator")]
	n := d.Number("numerator")
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
func (c *matcher) overridden(f document.Message) document.Message {
	key := f.Text("runtimeKey")
	if key == "" {
		return f.Sub("defaultValue")
	}
	v, known := c.envoy.runtime(key)
	if !known {
		c.unsupported("runtime key " + key)
	}
	if n, ok := numeric(v); ok {
		return c.Message(object.Of("numerator", int(n)))
	}
	if m := c.Message(v); m.Fields != nil {
		return m
	}
	return f.Sub("defaultValue")
}

func isGRPC(h headers) bool {
	ct := h.first("content-type")
	return ct == "application/grpc" || strings.HasPrefix(ct, "application/grpc+")
}

// header is a HeaderMatcher. What becomes of a repeated header is decided by
// alone: [headersAlone], or RBAC's own rule.
func (c *matcher) header(m document.Message, h headers, alone rule) bool {
	values, exists := h[asciiLower(m.Text("name"))]
	asEmpty, invert := m.Flag("treatMissingHeaderAsEmpty"), m.Flag("invertMatch")
	if !valued(m) {
		want := m.FlagOr("presentMatch", true)
		return ((exists || asEmpty) == want) != invert
	}
	if !exists {
		if !asEmpty {
			return false // a missing header matches no value, not even inverted
		}
		values = []string{""}
	}
	if slices.Contains(c.unsaid, asciiLower(m.Text("name"))) {
		c.unsupported("header " + asciiLower(m.Text("name")))
		return false
	}
	c.about = "header " + asciiLower(m.Text("name"))
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
func valued(m document.Message) bool {
	for _, k := range []string{"stringMatch", "rangeMatch", "safeRegexMatch", "prefixMatch", "suffixMatch", "containsMatch", "exactMatch"} {
		if m.Has(k) {
			return true
		}
	}
	return false
}

func (c *matcher) headerValue(m document.Message, v string) bool {
	if is, ok := c.redactedHeader(m, v); ok {
		return is
	}
	switch {
	case m.Has("stringMatch"):
		return c.stringMatch(m.Sub("stringMatch"), v)
	case m.Has("rangeMatch"):
		r := m.Sub("rangeMatch")
		n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
		return err == nil && n >= r.Number("start") && n < r.Number("end")
	case m.Has("safeRegexMatch"):
		return c.full(m.Sub("safeRegexMatch").Text("regex"), v)
	case m.Has("prefixMatch"):
		return strings.HasPrefix(v, m.Text("prefixMatch"))
	case m.Has("suffixMatch"):
		return strings.HasSuffix(v, m.Text("suffixMatch"))
	case m.Has("containsMatch"):
		return strings.Contains(v, m.Text("containsMatch"))
	}
	want := m.Text("exactMatch")
	return want == "" || v == want // the deprecated one, where empty, takes any value
}

// parameter is a QueryParameterMatcher.
func (c *matcher) parameter(m document.Message, params map[string]string) bool {
	v, ok := params[m.Text("name")]
	c.about = "query parameter " + m.Text("name")
	switch {
	case m.Has("presentMatch"):
		return byRule(c, absentParameters, func() bool { return ok == m.Flag("presentMatch") }, func() bool { return ok })
	case m.Has("stringMatch"):
		return ok && c.stringMatch(m.Sub("stringMatch"), v)
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

// metadata is a MetadataMatcher, or the condition of a route on dynamic
// metadata, over metadata by filter.
func (c *matcher) metadata(m document.Message, all *object.Object) bool {
	c.about = "metadata of " + m.Text("filter")
	v := any(all.Get(m.Text("filter")))
	for _, key := range m.List("path") {
		fields, _ := c.Force(v).(*object.Object)
		v = fields.Get(key.Text("key"))
	}
	return c.value(m.Sub("value"), c.Force(v))
}

// value is a ValueMatcher. What is missing matches nothing, but for the
// matcher that says that it is missing.
func (c *matcher) value(m document.Message, v any) bool {
	switch {
	case m.Has("nullMatch"):
		return v == nil
	case m.Has("presentMatch"):
		return m.Flag("presentMatch") == (v != nil)
	case m.Has("stringMatch"):
		s, ok := v.(string)
		return ok && c.stringMatch(m.Sub("stringMatch"), s)
	case m.Has("boolMatch"):
		b, ok := v.(bool)
		return ok && b == m.Flag("boolMatch")
	case m.Has("doubleMatch"):
		return c.double(m.Sub("doubleMatch"), v)
	case m.Has("listMatch"):
		return c.oneOf(m.Sub("listMatch").Sub("oneOf"), v)
	case m.Has("orMatch"):
		for _, w := range m.Sub("orMatch").List("valueMatchers") {
			if c.value(w, v) {
				return true
			}
		}
	}
	return false
}

func (c *matcher) oneOf(m document.Message, v any) bool {
	list, _ := v.([]any)
	for _, w := range list {
		if c.value(m, c.Force(w)) {
			return true
		}
	}
	return false
}

func (c *matcher) double(m document.Message, v any) bool {
	f, ok := numeric(v)
	if !ok {
		return false
	}
	if r := m.Sub("range"); m.Has("range") {
		start, _ := numeric(r.Value("start"))
		end, _ := numeric(r.Value("end"))
		return start <= f && f < end
	}
	exact, _ := numeric(m.Value("exact"))
	return f == exact
}

func numeric(v any) (float64, bool) {
	switch n := v.(type) {
	case int:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}
