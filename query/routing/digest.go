package routing

import (
	"cmp"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// A snapshot has digests, "redacted:<16 hex>", where somebody wrote free text.
// What is compared with one can be decided only where all of a text has to be
// the same, and its digest under the same key is known.

// hide notes that what is being decided hangs on a value that is not known.
func (c *choice) hide(what string) {
	c.hidden = cmp.Or(what, "what is matched") + " (its value is redacted)"
}

// found gives what was noted since it was asked last.
func (c *choice) found() (hidden string) {
	hidden, c.hidden = c.hidden, ""
	return hidden
}

// byDigest reports whether digest is the digest of v. Where that of v isn't
// known, it notes the doubt.
func (c *choice) byDigest(digest, v string) bool {
	if d, ok := c.digests[v]; ok {
		return d == digest
	}
	c.hide(c.about)
	return false
}

// redactedString decides a StringMatcher whose pattern is not known; ok is
// false for any other.
func (c *choice) redactedString(m message, v string) (is, ok bool) {
	if exact := m.text("exact"); mesh.IsDigest(exact) {
		if is = c.byDigest(exact, v); !is && c.hidden == "" && m.flag("ignoreCase") { // in other letters it may be the same
			c.hide(c.about)
		}
		return is, true
	}
	for _, k := range []string{"prefix", "suffix", "contains"} {
		if mesh.IsDigest(m.text(k)) {
			c.hide(c.about)
			return false, true
		}
	}
	if mesh.IsDigest(m.sub("safeRegex").text("regex")) {
		c.hide(c.about)
		return false, true
	}
	return false, false
}

// redactedHeader is the same for the older forms of a HeaderMatcher.
func (c *choice) redactedHeader(m message, v string) (is, ok bool) {
	if exact := m.text("exactMatch"); mesh.IsDigest(exact) {
		return c.byDigest(exact, v), true
	}
	for _, p := range []string{m.text("prefixMatch"), m.text("suffixMatch"), m.text("containsMatch"), m.sub("safeRegexMatch").text("regex")} {
		if mesh.IsDigest(p) {
			c.hide(c.about)
			return false, true
		}
	}
	return false, false
}

// redactedKeys decides a map of a matcher tree that has digests for keys: the
// key that stands for v; ok is false where the map alone decides.
func (c *choice) redactedKeys(on message, v string) (key string, ok bool) {
	hidden := false
	for k := range on.fields.All() {
		hidden = hidden || mesh.IsDigest(k)
	}
	if !hidden || on.has(v) {
		return "", false
	}
	if d, known := c.digests[v]; known {
		return d, true
	}
	c.hide("what a tree of matchers is asked for")
	return "", true
}
