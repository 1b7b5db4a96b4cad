package routing

import (
	"strings"

	"github.com/meshq/kubectl-meshq/query/document"
)

// pathOnly returns a path without its query and fragment.
func pathOnly(p string) string {
	if i := strings.IndexAny(p, "?#"); i >= 0 {
		return p[:i]
	}
	return p
}

// withoutParameters returns a path without its path parameters. How they are
// removed depends on Envoy's version; see [parametersPerSegment].
func (c *matcher) withoutParameters(p string) string {
	i := strings.IndexByte(p, ';')
	if i < 0 {
		return p
	}
	return byRule(c, parametersPerSegment, func() string { return cutPerSegment(p) }, func() string { return p[:i] })
}

// cutPerSegment removes the parameters, ";…", from each segment of a path.
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

// pathKinds lists the fields of a match that may contain the path condition.
// Envoy uses the first one that is set.
var pathKinds = [...]string{"prefix", "path", "pathSeparatedPrefix", "safeRegex", "connectMatcher", "pathMatchPolicy"}

// pathKind returns the name of the field that contains a match's path condition,
// or "".
func pathKind(m document.Message) string {
	for _, k := range pathKinds {
		if m.Has(k) {
			return k
		}
	}
	return ""
}

// path reports whether the request's path matches. It doesn't decode escapes.
func (c *matcher) path(m document.Message, r *routed) bool {
	if r.Method == "CONNECT" && !m.Has("connectMatcher") { // a CONNECT request has no path
		return false
	}
	p := pathOnly(r.Path)
	if c.ignoreParameters {
		p = c.withoutParameters(p)
	}
	kind := pathKind(m)
	if kind == "safeRegex" {
		return c.matchesWhole(m.Sub("safeRegex").Text("regex"), p)
	}
	want := m.Text(kind)
	if !m.FlagOr("caseSensitive", true) {
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
		return c.template(m.Sub("pathMatchPolicy"), pathOnly(r.Path))
	}
	return false
}

// matchedLength returns the length of the part of the raw path that the match
// covers and that a rewrite replaces. ok is false if the raw path doesn't begin
// with that part, because the path matched only after its parameters were removed.
// Envoy doesn't rewrite such a path.
func matchedLength(m document.Message, raw string) (n int, ok bool) {
	switch kind := pathKind(m); kind {
	case "prefix", "path", "pathSeparatedPrefix":
		want := m.Text(kind)
		ok = strings.HasPrefix(raw, want)
		if !ok && !m.FlagOr("caseSensitive", true) {
			ok = strings.HasPrefix(asciiLower(raw), asciiLower(want))
		}
		return len(want), ok
	}
	return len(pathOnly(raw)), true
}

// template reports whether a path matches a URI template. In a template, * and {x}
// match a part of one segment, and ** and {x=**} match the rest of the path.
func (c *matcher) template(policy document.Message, p string) bool {
	t := policy.Sub("typedConfig").Text("pathTemplate")
	if t == "" {
		c.unsupported("path match policy " + policy.Text("name"))
		return false
	}
	expr := templateRegexp(t)
	if !strings.Contains(p, "*") {
		return c.matchesWhole(expr, p)
	}
	return byRule(c, asterisks, func() bool { return c.matchesWhole(expr, p) },
		func() bool {
			return c.matchesWhole(strings.ReplaceAll(expr, templateCharacters, strings.Replace(templateCharacters, "*", "", 1)), p)
		})
}

// templateCharacters are the characters that the variable parts of a template
// match.
const templateCharacters = `a-zA-Z0-9\-._~%!$&'()*+,;:@=`

// templateRegexp converts a URI template to a regular expression with one group
// per variable.
func templateRegexp(t string) string {
	var b strings.Builder
	for i := 0; i < len(t); {
		switch {
		case strings.HasPrefix(t[i:], "**"):
			b.WriteString("[" + templateCharacters + "/]*")
			i += 2
		case t[i] == '*':
			b.WriteString("[" + templateCharacters + "]+")
			i++
		case t[i] == '{':
			end := strings.IndexByte(t[i:], '}')
			if end < 0 {
				return `\z\A.` // the template is invalid, so the expression must not match anything
			}
			_, inner := variable(t[i+1 : i+end])
			b.WriteString("(" + templateRegexp(inner) + ")")
			i += end + 1
		default:
			if strings.IndexByte(`\.+?()|[]^$`, t[i]) >= 0 {
				b.WriteByte('\\')
			}
			b.WriteByte(t[i])
			i++
		}
	}
	return b.String()
}

// variable splits the text between two braces of a template into the variable's
// name and its pattern.
func variable(s string) (name, fits string) {
	name, fits, ok := strings.Cut(s, "=")
	if !ok {
		fits = "*"
	}
	return name, fits
}

// rewriteByTemplate returns the path that a URI template rewrite produces. It
// matches the path with the template in match, and inserts the values of the
// variables into the rewrite's template.
func (c *matcher) rewriteByTemplate(match, policy document.Message, p string) (string, bool) {
	from := match.Sub("pathMatchPolicy").Sub("typedConfig").Text("pathTemplate")
	to := policy.Sub("typedConfig").Text("pathTemplateRewrite")
	if from == "" || to == "" {
		c.unsupported("path rewrite policy " + policy.Text("name"))
		return "", false
	}
	re := c.compile(`\A(?:` + templateRegexp(from) + `)\z`)
	if re == nil {
		return "", false
	}
	values := re.FindStringSubmatch(latin1(p))
	if values == nil {
		return "", false
	}
	var b strings.Builder
	for i, part := range strings.Split(to, "{") {
		name, rest, ok := strings.Cut(part, "}")
		if i == 0 || !ok {
			b.WriteString(part)
			continue
		}
		if n := variableIndex(name, from); n > 0 && n < len(values) {
			b.WriteString(unlatin1(values[n]))
		}
		b.WriteString(rest)
	}
	return b.String(), true
}

// variableIndex returns the position of a variable among the variables of a
// template, starting at 1, or 0 if the template doesn't contain it.
func variableIndex(name, template string) int {
	for i, part := range strings.Split(template, "{")[1:] {
		inner, _, _ := strings.Cut(part, "}")
		if n, _ := variable(inner); n == name {
			return i + 1
		}
	}
	return 0
}
