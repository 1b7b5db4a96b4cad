package random

import "strings"

const typeURL = "type.googleapis.com/"

// match returns a random RouteMatch.
func (s Source) match(tls bool) message {
	m := s.pathMatch()
	if s.oneIn(3) {
		m["case_sensitive"] = false
	}
	for s.oneIn(3) {
		m["headers"] = appended(m["headers"], s.headerMatch())
	}
	for s.oneIn(5) {
		m["query_parameters"] = appended(m["query_parameters"], s.parameterMatch())
	}
	for s.oneIn(8) {
		c := message{"name": pick(s, "c", "d"), "string_match": s.textMatcher()}
		if s.oneIn(3) {
			c["invert_match"] = true
		}
		m["cookies"] = appended(m["cookies"], c)
	}
	if s.oneIn(15) {
		m["grpc"] = message{}
	}
	if s.oneIn(12) {
		m["runtime_fraction"] = message{"default_value": pick(s,
			message{}, message{"numerator": 100}, message{"numerator": 10_000, "denominator": "TEN_THOUSAND"}, message{"numerator": 1_000_000, "denominator": "MILLION"},
		)}
	}
	if s.oneIn(20) || tls && s.oneIn(3) {
		m["tls_context"] = pick(s, message{"presented": true}, message{"presented": false}, message{"validated": true}, message{"validated": false}, message{"presented": true, "validated": true}, message{})
	}
	return m
}

func appended(list any, v any) []any {
	all, _ := list.([]any)
	return append(all, v)
}

func (s Source) pathMatch() message {
	switch s.IntN(8) {
	case 0, 1:
		return message{"path": s.path()}
	case 2:
		return message{"path_separated_prefix": s.separated()}
	case 3:
		return message{"safe_regex": message{"regex": pick(s, expressions(pathPatterns())...)}}
	case 4:
		if s.flip() {
			return message{"connect_matcher": message{}}
		}
		return message{"path_match_policy": message{"name": "template", "typed_config": message{
			"@type": typeURL + "envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig", "path_template": pick(s, templates()...),
		}}}
	}
	return message{"prefix": pick(s, s.path(), s.path(), s.path(), "/", "")}
}

func templates() []string {
	return []string{"/a/*", "/a/**", "/{x}/b", "/{x=*}/{y=**}", "/a/*.b", "/**", "/{x}", "/{x=a/*}/b", "/a/{y}/**", "/*/a;x", "/a.b/{z=**}", "/{x=**}"}
}

func (s Source) separated() string {
	p := "/" + strings.Trim(strings.ReplaceAll(s.path(), "//", "/"), "/")
	if p == "/" {
		return "/a"
	}
	return p
}

func headerNames() []string {
	return []string{
		"x-a", "X-B", "x-c", "x-a", "X-B", "x-c", "accept", "user-agent", "accept-language", ":method", ":authority", ":scheme", ":path", "x-forwarded-proto",
		"content-type", "Host", "cookie", "x-envoy-internal", "x-envoy-max-retries", "x-forwarded-for",
		"x-request-id", "via", "x-envoy-external-address", "x-envoy-downstream-service-node", "te", "connection", "x-forwarded-client-cert", "keep-alive",
	}
}

func (s Source) headerMatch() message {
	h := message{"name": pick(s, headerNames()...)}
	if s.oneIn(4) {
		h["invert_match"] = true
	}
	if s.oneIn(6) {
		h["treat_missing_header_as_empty"] = true
	}
	switch s.IntN(8) {
	case 0:
		h["present_match"] = s.flip()
	case 1:
		start := s.IntN(10) - 5
		h["range_match"] = message{"start": start, "end": start + 1 + s.IntN(15)}
	case 2:
	case 3: // deprecated forms
		switch s.IntN(5) {
		case 0:
			h["exact_match"] = s.value()
		case 1:
			h["prefix_match"] = pick(s, "v", "a", "1")
		case 2:
			h["suffix_match"] = pick(s, "v", "b", "1")
		case 3:
			h["contains_match"] = pick(s, "v", ",", "b")
		default:
			h["safe_regex_match"] = message{"regex": pick(s, expressions(patterns())...)}
		}
	default:
		h["string_match"] = s.textMatcher("GET", "POST", "https", "http", "application/grpc", "true")
	}
	return h
}

func (s Source) parameterMatch() message {
	q := message{"name": pick(s, "q", "r", "Q")}
	switch s.IntN(3) {
	case 0:
		q["present_match"] = s.flip()
	case 1:
		q["string_match"] = s.textMatcher()
	}
	return q
}
