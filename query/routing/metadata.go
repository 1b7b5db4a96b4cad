package routing

import "github.com/meshq/kubectl-meshq/sources/object"

// metadata is a MetadataMatcher, or the condition of a route on dynamic
// metadata, over metadata by filter.
func (c *choice) metadata(m message, all *object.Object) bool {
	c.about = "metadata of " + m.text("filter")
	v := any(all.Get(m.text("filter")))
	for _, key := range m.list("path") {
		fields, _ := c.force(v).(*object.Object)
		v = fields.Get(key.text("key"))
	}
	return c.value(m.sub("value"), c.force(v))
}

// value is a ValueMatcher. What is missing matches nothing, but for the
// matcher that says that it is missing.
func (c *choice) value(m message, v any) bool {
	switch {
	case m.has("nullMatch"):
		return v == nil
	case m.has("presentMatch"):
		return m.flag("presentMatch") == (v != nil)
	case m.has("stringMatch"):
		s, ok := v.(string)
		return ok && c.stringMatch(m.sub("stringMatch"), s)
	case m.has("boolMatch"):
		b, ok := v.(bool)
		return ok && b == m.flag("boolMatch")
	case m.has("doubleMatch"):
		return c.double(m.sub("doubleMatch"), v)
	case m.has("listMatch"):
		return c.oneOf(m.sub("listMatch").sub("oneOf"), v)
	case m.has("orMatch"):
		for _, w := range m.sub("orMatch").list("valueMatchers") {
			if c.value(w, v) {
				return true
			}
		}
	}
	return false
}

func (c *choice) oneOf(m message, v any) bool {
	list, _ := v.([]any)
	for _, w := range list {
		if c.value(m, c.force(w)) {
			return true
		}
	}
	return false
}

func (c *choice) double(m message, v any) bool {
	f, ok := numeric(v)
	if !ok {
		return false
	}
	if r := m.sub("range"); m.has("range") {
		start, _ := numeric(r.value("start"))
		end, _ := numeric(r.value("end"))
		return start <= f && f < end
	}
	exact, _ := numeric(m.value("exact"))
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
