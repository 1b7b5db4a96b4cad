package routing

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/meshq/kubectl-meshq/query/document"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// firstMiss returns the first condition in a route's match that the request
// doesn't meet. Envoy checks all conditions, so their order doesn't change the
// result. firstMiss checks conditions that it can't decide last, so that they
// are reported only if the answer depends on them.
func (c *matcher) firstMiss(m document.Message, r *routed) miss {
	if !c.path(m, r) {
		return miss{kind: byPath, m: m}
	}
	if m.Has("grpc") && (r.Method == "CONNECT" || !isGRPC(r.headers)) { // a CONNECT request has no path, so it is never a gRPC request
		return miss{kind: byGRPC, m: m}
	}
	c.takeRedacted()
	hidden := ""
	for _, h := range m.List("headers") {
		if !c.header(h, r.headers, headersAlone) {
			if what := c.takeRedacted(); what != "" {
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
				if what := c.takeRedacted(); what != "" {
					hidden = cmp.Or(hidden, what)
					continue
				}
				return miss{kind: byParameter, m: q}
			}
		}
	}
	for _, k := range m.List("cookies") {
		v, ok := cookiesOf(r.headers)[k.Text("name")]
		c.comparing = "cookie " + k.Text("name")
		is := ok && c.stringMatch(k.Sub("stringMatch"), v)
		if what := c.takeRedacted(); what != "" {
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

// context checks the conditions that depend on more than the request: TLS, dynamic
// metadata and filter state.
func (c *matcher) context(m document.Message, r *routed) bool {
	if t := m.Sub("tlsContext"); m.Has("tlsContext") {
		shown := r.TLS && !r.NoCertificate // a connection without TLS has no client certificate
		if shown && r.Principal == "" {
			c.unsupported("client certificate")
			return false
		}
		for _, want := range []string{"presented", "validated"} { // a client with a known identity has presented a valid certificate
			if t.Has(want) && t.Flag(want) != shown {
				return false
			}
		}
	}
	for _, d := range m.List("dynamicMetadata") {
		if r.Metadata == nil {
			c.unsupported("dynamic metadata")
		}
		if c.metadata(d, r.Metadata) == d.Flag("invert") { // missing metadata matches only if the condition is inverted
			return false
		}
	}
	if len(m.List("filterState")) > 0 {
		c.unsupported("filter state")
		return false
	}
	return true
}

// fraction reports whether a runtime fraction matches the request. The result is
// certain for a fraction of 0 or 100 percent. For any other fraction, the
// request's random value decides. If there is no random value, fraction returns
// true and adds a note to Answer.Unsupported.
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

// overridden returns the fraction that is configured for the runtime key in f,
// which may be a number of percent. If the runtime doesn't set the key, it
// returns the default value in f.
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

// header evaluates a HeaderMatcher. The rule alone, which is [headersAlone] or
// RBAC's own rule, determines how the values of a repeated header are compared.
func (c *matcher) header(m document.Message, h headers, alone rule) bool {
	values, exists := h[asciiLower(m.Text("name"))]
	asEmpty, invert := m.Flag("treatMissingHeaderAsEmpty"), m.Flag("invertMatch")
	if !comparesValue(m) {
		want := m.FlagOr("presentMatch", true)
		return ((exists || asEmpty) == want) != invert
	}
	if !exists {
		if !asEmpty {
			return false // a missing header never matches a value, even if the condition is inverted
		}
		values = []string{""}
	}
	if slices.Contains(c.unknownHeaders, asciiLower(m.Text("name"))) {
		c.unsupported("header " + asciiLower(m.Text("name")))
		return false
	}
	c.comparing = "header " + asciiLower(m.Text("name"))
	one := func(v string) bool { return c.headerValue(m, v) }
	is := false
	if len(values) == 1 {
		is = one(values[0])
	} else {
		is = byRule(c, alone, func() bool { return slices.ContainsFunc(values, one) }, func() bool { return one(strings.Join(values, ",")) })
	}
	if c.redacted != "" && !is {
		return false // it is unknown whether the value matches, so an inverted condition isn't met either
	}
	return is != invert
}

// comparesValue reports whether a matcher compares the header's value. Other
// matchers check only whether the header is present.
func comparesValue(m document.Message) bool {
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
		return c.matchesWhole(m.Sub("safeRegexMatch").Text("regex"), v)
	case m.Has("prefixMatch"):
		return strings.HasPrefix(v, m.Text("prefixMatch"))
	case m.Has("suffixMatch"):
		return strings.HasSuffix(v, m.Text("suffixMatch"))
	case m.Has("containsMatch"):
		return strings.Contains(v, m.Text("containsMatch"))
	}
	want := m.Text("exactMatch")
	return want == "" || v == want // an empty exactMatch, which is deprecated, matches any value
}

// parameter evaluates a QueryParameterMatcher.
func (c *matcher) parameter(m document.Message, params map[string]string) bool {
	v, ok := params[m.Text("name")]
	c.comparing = "query parameter " + m.Text("name")
	switch {
	case m.Has("presentMatch"):
		return byRule(c, absentParameters, func() bool { return ok == m.Flag("presentMatch") }, func() bool { return ok })
	case m.Has("stringMatch"):
		return ok && c.stringMatch(m.Sub("stringMatch"), v)
	}
	return ok
}

// queryOf returns the first value of each query parameter. It decodes no escapes.
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

// cookiesOf returns the first value of each cookie, by name.
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

// metadata evaluates a MetadataMatcher, or a route's condition on dynamic
// metadata. all is the metadata, by the name of the filter that has set it.
func (c *matcher) metadata(m document.Message, all *object.Object) bool {
	c.comparing = "metadata of " + m.Text("filter")
	v := any(all.Get(m.Text("filter")))
	for _, key := range m.List("path") {
		fields, _ := c.Force(v).(*object.Object)
		v = fields.Get(key.Text("key"))
	}
	return c.value(m.Sub("value"), c.Force(v))
}

// value evaluates a ValueMatcher. For a missing value, only a nullMatch matches,
// or a presentMatch that is false.
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
