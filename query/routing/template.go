package routing

import "strings"

// template is the URI template matcher: * and {x} stand for a part of one
// segment, ** and {x=**} for what is left.
func (c *choice) template(policy message, p string) bool {
	t := policy.sub("typedConfig").text("pathTemplate")
	if t == "" {
		c.unsupported("path match policy " + policy.text("name"))
		return false
	}
	expr := templateExpr(t)
	if !strings.Contains(p, "*") {
		return c.full(expr, p)
	}
	return byRule(c, asterisks, func() bool { return c.full(expr, p) },
		func() bool {
			return c.full(strings.ReplaceAll(expr, templateCharacters, strings.Replace(templateCharacters, "*", "", 1)), p)
		})
}

// templateCharacters are those that a variable part of a template stands for.
const templateCharacters = `a-zA-Z0-9\-._~%!$&'()*+,;:@=`

// templateExpr is a template as an expression, whose groups are its variables.
func templateExpr(t string) string {
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
				return `\z\A.` // no template: matches nothing
			}
			_, inner := variable(t[i+1 : i+end])
			b.WriteString("(" + templateExpr(inner) + ")")
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

// variable is what stands in braces: a name, and what it fits.
func variable(s string) (name, fits string) {
	name, fits, ok := strings.Cut(s, "=")
	if !ok {
		fits = "*"
	}
	return name, fits
}

// retemplated is the path that a URI template rewrite gives: its own template,
// with what the variables of the match's stand for.
func (c *choice) retemplated(match, policy message, p string) (string, bool) {
	from := match.sub("pathMatchPolicy").sub("typedConfig").text("pathTemplate")
	to := policy.sub("typedConfig").text("pathTemplateRewrite")
	if from == "" || to == "" {
		c.unsupported("path rewrite policy " + policy.text("name"))
		return "", false
	}
	re := c.find(`\A(?:` + templateExpr(from) + `)\z`)
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
		if n := placeOf(name, from); n > 0 && n < len(values) {
			b.WriteString(unlatin1(values[n]))
		}
		b.WriteString(rest)
	}
	return b.String(), true
}

// placeOf gives the place of a variable among those of a template, from 1; 0
// for none of them.
func placeOf(name, template string) int {
	for i, part := range strings.Split(template, "{")[1:] {
		inner, _, _ := strings.Cut(part, "}")
		if n, _ := variable(inner); n == name {
			return i + 1
		}
	}
	return 0
}
