package routing

import (
	"regexp"
	"strconv"
	"strings"
)

// find gives the compiled form; nil for what RE2 refuses (Envoy would have
// refused the configuration).
func (x *Cache) find(expr string) *regexp.Regexp {
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

// full tells whether an expression matches all of a text, by [latin1Regexes].
func (c *choice) full(expr, text string) bool {
	expr = `\A(?:` + expr + `)\z`
	newer := func() bool {
		re := c.find(expr)
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

// replace is RE2's GlobalReplace: \N is what group N matched.
func (x *Cache) replace(expr, substitution, text string) string {
	re := x.find(expr)
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

// latin1 makes a character of each byte.
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

// stringMatch is envoy.type.matcher.v3.StringMatcher.
func (c *choice) stringMatch(m message, v string) bool {
	if is, ok := c.redactedString(m, v); ok {
		return is
	}
	if re := m.sub("safeRegex"); m.has("safeRegex") {
		return c.full(re.text("regex"), v) // ignore_case has no effect on it
	}
	fold := func(s string) string { return s }
	if m.flag("ignoreCase") {
		fold = asciiLower
	}
	v = fold(v)
	switch {
	case m.has("prefix"):
		return strings.HasPrefix(v, fold(m.text("prefix")))
	case m.has("suffix"):
		return strings.HasSuffix(v, fold(m.text("suffix")))
	case m.has("contains"):
		return strings.Contains(v, fold(m.text("contains")))
	case m.has("custom"):
		c.unsupported("custom string matcher")
		return false
	}
	return v == fold(m.text("exact"))
}

func itoa(n int) string { return strconv.Itoa(n) }
