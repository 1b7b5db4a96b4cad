package random

import "slices"

// A pattern is a regular expression in RE2's syntax, with texts that match it.
type pattern struct {
	expr string
	fits []string
}

// patterns returns regular expressions for values of headers and parameters.
func patterns() []pattern {
	return []pattern{
		{"v+", []string{"v", "vv"}}, {"[a-c]*", []string{"ab", "", "b"}}, {"v|w", []string{"v", "w"}}, {".*b", []string{"ab", "b"}},
		{`\d+`, []string{"5", "12"}}, {"(?i)V", []string{"v", "V"}}, {"a.b", []string{"a b", "a,b"}}, {"v,w", []string{"v,w"}},
		{"^v$", []string{"v"}}, {"v..?", []string{"vé", "v1"}}, {"[^v]+", []string{"w", "é"}}, {`\x{e9}`, nil}, {".", []string{"v", "5"}},
	}
}

func pathPatterns() []pattern {
	return []pattern{
		{"/a.*", []string{"/a", "/ab/c1"}}, {"/[a-z]+", []string{"/a", "/ab"}}, {"/a|/b", []string{"/a", "/b"}}, {"/.*/b", []string{"/a/b", "//b"}},
		{"(?i)/AB.*", []string{"/ab", "/Ab/1"}}, {"/a/?", []string{"/a", "/a/"}}, {".*", []string{"/", "/a"}}, {"/[^/]+/[^/]+", []string{"/a/b", "/1/a.b"}},
		{`/\w+/?`, []string{"/a", "/c1/"}}, {"^/a$", []string{"/a"}}, {"/a$|^/b.*", []string{"/a", "/b1"}}, {"/(a|b)/(.*)", []string{"/a/b", "/b/"}},
	}
}

func expressions(of []pattern) []string {
	all := make([]string, len(of))
	for i, p := range of {
		all[i] = p.expr
	}
	return all
}

// fitting returns a text that matches one of the expressions above. It reports false if it knows none.
func (s Source) fitting(expr string) (string, bool) {
	for _, p := range slices.Concat(patterns(), pathPatterns()) {
		if p.expr == expr && len(p.fits) > 0 {
			return pick(s, p.fits...), true
		}
	}
	return "", false
}

// value returns a random value of a header, parameter or cookie.
func (s Source) value() string {
	return pick(s, "v", "V", "w", "v,w", "1", "5", "12", "", "ab", "vv", "a b", "-3", "v1", "b", "+7", " 5", "é", "vé", "5.0")
}

// textMatcher returns a random StringMatcher. more are further values that it may compare with.
func (s Source) textMatcher(more ...string) message {
	m := message{}
	switch s.IntN(6) {
	case 0, 1, 2:
		m["exact"] = pick(s, append(more, s.value())...)
	case 3:
		m["prefix"] = pick(s, "v", "V", "1", "a", "w", "é")
	case 4:
		m["suffix"] = pick(s, "v", "W", "2", "b", "x", "1")
	default:
		if s.flip() {
			m["contains"] = pick(s, "v", ",", "b", "1")
			break
		}
		m["safe_regex"] = message{"regex": pick(s, expressions(patterns())...)}
	}
	if m["safe_regex"] == nil && s.oneIn(4) { // Envoy rejects ignore_case together with safe_regex
		m["ignore_case"] = true
	}
	return m
}

// fittingText returns a value that probably matches a StringMatcher.
func (s Source) fittingText(m message) string {
	for _, kind := range []string{"exact", "prefix", "suffix", "contains"} {
		if v, ok := m[kind].(string); ok {
			switch kind {
			case "prefix":
				return v + pick(s, "", "x")
			case "suffix":
				return pick(s, "", "x") + v
			}
			return v
		}
	}
	if re, ok := m["safe_regex"].(message); ok {
		if v, ok := s.fitting(re["regex"].(string)); ok {
			return v
		}
	}
	return s.value()
}
