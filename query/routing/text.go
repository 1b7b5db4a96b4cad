package routing

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"

	"github.com/meshq/kubectl-meshq/query/document"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// compile returns a compiled regular expression. It returns nil if RE2 rejects the
// expression, because Envoy then rejects the whole configuration.
func (x *Cache) compile(expr string) *regexp.Regexp {
	if v, ok := x.compiled.Load(expr); ok {
		return v.(*regexp.Regexp)
	}
	re, err := regexp.Compile(latin1(expr))
	if err != nil {
		re = nil
	}
	x.compiled.Store(expr, re)
	return re
}

// matchesWhole reports whether a regular expression matches the whole text. How
// bytes above ASCII are read depends on Envoy's version; see [latin1Regexes].
func (c *matcher) matchesWhole(expr, text string) bool {
	expr = `\A(?:` + expr + `)\z`
	newer := func() bool {
		re := c.compile(expr)
		return re != nil && re.MatchString(latin1(text))
	}
	if ascii(expr) && ascii(text) {
		return newer()
	}
	return byRule(c, latin1Regexes, newer, func() bool {
		re, err := regexp.Compile(expr)
		return err == nil && re.MatchString(text)
	})
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// replace replaces all matches of a regular expression, as RE2's GlobalReplace
// does: \N in the substitution is the text of group N.
func (x *Cache) replace(expr, substitution, text string) string {
	re := x.compile(expr)
	if re == nil {
		return text
	}
	text = latin1(text)
	var b strings.Builder
	end := 0
	for _, at := range re.FindAllStringSubmatchIndex(text, -1) {
		b.WriteString(text[end:at[0]])
		expand(&b, substitution, text, at)
		end = at[1]
	}
	b.WriteString(text[end:])
	return unlatin1(b.String())
}

func expand(b *strings.Builder, substitution, text string, at []int) {
	for i := 0; i < len(substitution); i++ {
		c := substitution[i]
		if c != '\\' || i+1 == len(substitution) {
			b.WriteByte(c)
			continue
		}
		i++
		if c = substitution[i]; c == '\\' {
			b.WriteByte(c)
		} else if n := int(c - '0'); 0 <= n && 2*n+1 < len(at) && at[2*n] >= 0 {
			b.WriteString(text[at[2*n]:at[2*n+1]])
		}
	}
}

// latin1 converts each byte of s to the Latin-1 character with that number.
func latin1(s string) string {
	if ascii(s) {
		return s
	}
	r := make([]rune, len(s))
	for i := range len(s) {
		r[i] = rune(s[i])
	}
	return string(r)
}

func unlatin1(s string) string {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 0xff {
			return s
		}
		b = append(b, byte(r))
	}
	return string(b)
}

// stringMatch evaluates an envoy.type.matcher.v3.StringMatcher.
func (c *matcher) stringMatch(m document.Message, v string) bool {
	if is, ok := c.redactedString(m, v); ok {
		return is
	}
	if re := m.Sub("safeRegex"); m.Has("safeRegex") {
		return c.matchesWhole(re.Text("regex"), v) // ignore_case has no effect on a regular expression
	}
	fold := func(s string) string { return s }
	if m.Flag("ignoreCase") {
		fold = asciiLower
	}
	v = fold(v)
	switch {
	case m.Has("prefix"):
		return strings.HasPrefix(v, fold(m.Text("prefix")))
	case m.Has("suffix"):
		return strings.HasSuffix(v, fold(m.Text("suffix")))
	case m.Has("contains"):
		return strings.Contains(v, fold(m.Text("contains")))
	case m.Has("custom"):
		c.unsupported("custom string matcher")
		return false
	}
	return v == fold(m.Text("exact"))
}

func itoa(n int) string { return strconv.Itoa(n) }

// A snapshot may contain a digest, "redacted:<16 hex>", in place of a text. A
// comparison with a digest has a result only if it compares the whole text, and if
// the digest of the other text under the same key is known.

// noteRedacted records that the current comparison depends on a redacted value.
func (c *matcher) noteRedacted(what string) {
	c.redacted = cmp.Or(what, "what is matched") + " (its value is redacted)"
}

// takeRedacted returns the redacted value that was recorded since its last call,
// if any.
func (c *matcher) takeRedacted() (hidden string) {
	hidden, c.redacted = c.redacted, ""
	return hidden
}

// byDigest reports whether digest is the digest of the text v. If the digest of v
// isn't known, it records that the comparison depends on a redacted value.
func (c *matcher) byDigest(digest, v string) bool {
	if d, ok := c.digests[v]; ok {
		return d == digest
	}
	c.noteRedacted(c.comparing)
	return false
}

// redactedString evaluates a StringMatcher with a redacted pattern. ok is false
// for any other matcher.
func (c *matcher) redactedString(m document.Message, v string) (is, ok bool) {
	if exact := m.Text("exact"); mesh.IsDigest(exact) {
		// texts that differ only in case have different digests
		if is = c.byDigest(exact, v); !is && c.redacted == "" && m.Flag("ignoreCase") {
			c.noteRedacted(c.comparing)
		}
		return is, true
	}
	for _, k := range []string{"prefix", "suffix", "contains"} {
		if mesh.IsDigest(m.Text(k)) {
			c.noteRedacted(c.comparing)
			return false, true
		}
	}
	if mesh.IsDigest(m.Sub("safeRegex").Text("regex")) {
		c.noteRedacted(c.comparing)
		return false, true
	}
	return false, false
}

// redactedHeader does the same as redactedString for the deprecated fields of a
// HeaderMatcher.
func (c *matcher) redactedHeader(m document.Message, v string) (is, ok bool) {
	if exact := m.Text("exactMatch"); mesh.IsDigest(exact) {
		return c.byDigest(exact, v), true
	}
	for _, p := range []string{m.Text("prefixMatch"), m.Text("suffixMatch"), m.Text("containsMatch"), m.Sub("safeRegexMatch").Text("regex")} {
		if mesh.IsDigest(p) {
			c.noteRedacted(c.comparing)
			return false, true
		}
	}
	return false, false
}

// redactedKeys returns the key for the text v in the map of a matcher tree whose
// keys are digests. ok is false if the map has no digests and can be used
// directly.
func (c *matcher) redactedKeys(on document.Message, v string) (key string, ok bool) {
	hidden := false
	for k := range on.Fields.All() {
		hidden = hidden || mesh.IsDigest(k)
	}
	if !hidden || on.Has(v) {
		return "", false
	}
	if d, known := c.digests[v]; known {
		return d, true
	}
	c.noteRedacted("what a tree of matchers is asked for")
	return "", true
}
