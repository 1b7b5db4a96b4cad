package complete

import (
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/query/syntax"
)

// lookups returns a query for each argument of a function whose possible values can be
// read. The query finds these values in the function's input.
func lookups() map[string]string {
	const holders = `(if type == "array" then .[] elif type == "object" and has("proxies") then .proxies[] else . end) | objects`
	section := func(name, what string) string {
		return holders + ` | (if .kind == "Proxy" or .kind == "Desired" then .` + name + `[]? else . end) | ` + what
	}
	return map[string]string{
		"proxy":       `.proxies[]? | .id, (.workload | strings)`,
		"proxies":     `.proxies[]? | .id, (.workload | strings)`,
		"traceFrom":   `.proxies[]? | .id, (.workload | strings)`,
		"cluster":     section("clusters", ".name"),
		"listener":    section("listeners", ".name"),
		"route":       section("routes", ".name"),
		"virtualHost": section("routes", `(if has("virtualHosts") then .virtualHosts[] else . end) | .name, .domains[]?`),
		"endpoint":    section("endpoints", ".address, .cluster"),
		"secret":      section("secrets", ".name"),
		"extension":   section("extensions", ".name"),
		"routesTo":    section("clusters", ".fqdn, .name"),
		"trace":       section("clusters", `select(.direction == "outbound") | "http://\(.fqdn):\(.port)/"`),
		"match":       section("routes", `(if has("virtualHosts") then .virtualHosts[] else . end) | .domains[]? | select(test("[*]") | not) | "http://\(.)/"`),
	}
}

// durations returns the durations that are offered as an argument of the function age.
func durations() []string { return []string{"1h", "24h", "72h", "7d", "30d"} }

// argument returns the source of the possible values of a string argument: a query on the
// function's input, "." for the values of the input itself, "keys" for the names of the
// input's fields, "durations", or "" if nothing is known.
func argument(function string, arg int) string {
	if arg == 0 {
		if what, ok := lookups()[function]; ok {
			return what
		}
	}
	switch function {
	case "has":
		return "keys"
	case "within":
		return "durations"
	case "IN", "test", "startswith", "endswith", "contains", "ltrimstr", "rtrimstr", "index", "inside":
		if arg == 0 {
			return "."
		}
	}
	return ""
}

// strings adds the possible texts of a string to the candidates. The string may be the
// name of a field, an argument of a function, or one side of a comparison.
func (c *completer) strings() {
	last, top := c.last(), c.frames.top()
	switch {
	case c.method || top.expectsKey():
		c.offerStrings(c.infer(c.query), "keys", c.query)
	case top.call != "" && (last.Text == "(" || last.Text == ";" || last.Text == ","):
		what := argument(top.call, top.arg)
		c.offerStrings(c.infer(c.query), what, c.query)
	case isComparison(last) || last.Text == "," && isComparison(top.before) || last.Text == "(" && isComparison(top.before):
		c.offerComparedValues()
	}
}

func isComparison(w syntax.Word) bool {
	return w.Kind == syntax.WordSign && slices.Contains([]string{"==", "!=", "<", ">", "<=", ">="}, w.Text)
}

// offerComparedValues adds the values that the left side of a comparison may have to the
// candidates. To read these values, it replaces the comparison in the query by its left
// side.
func (c *completer) offerComparedValues() {
	text := c.query(mark)
	program, err := syntax.Parse("", text)
	if err != nil {
		return
	}
	at := strings.LastIndex(text[:len(c.head)+len(mark)], mark)
	var whole *syntax.Query
	for q := range program.Queries() {
		if q.Op >= syntax.OpEq && q.Op <= syntax.OpLe && q.Right.Start <= at && at < q.Right.End {
			whole = q // the innermost comparison is the last one
		}
	}
	if whole == nil {
		return
	}
	left := "(" + text[whole.Left.Start:whole.Left.End] + ")"
	query := func(term string) string {
		return text[:whole.Start] + left + "." + term + text[whole.End:]
	}
	c.method = true
	c.offerStrings(c.infer(query), ".", query)
}

// offerStrings adds strings, each with its closing quote and brackets, to the candidates.
// If the possible strings aren't known from the schema, it reads them from the document.
func (c *completer) offerStrings(w *walker, what string, query func(term string) string) {
	closing := c.closing()
	switch what {
	case "":
		return
	case "durations":
		for _, d := range durations() {
			c.offer(d+closing, "")
		}
		return
	case "keys":
		for _, v := range w.keys(w.shapesAtMark)[0].values {
			c.offer(escaped(v)+closing, "")
		}
		if !w.shapesAtMark.hasUnknownFields() {
			return
		}
		what = "objects | keys[]"
	case ".":
		for _, s := range w.shapesAtMark {
			for _, v := range s.values {
				c.offer(escaped(v)+closing, "")
			}
		}
		if len(c.out) > 0 {
			return
		}
	}
	seen, n := map[string]bool{}, 0
	c.readValues(query, what+" | strings", func(v any) bool {
		if s, ok := v.(string); ok && !seen[s] && len(s) < maxStringLength && !strings.ContainsAny(s, "\n\t\r") {
			seen[s] = true
			c.offer(escaped(s)+closing, "")
		}
		n++
		return n < maxValues*10 && len(c.out) < maxCandidates
	})
}

// maxStringLength is the maximum length of a candidate string in bytes.
const maxStringLength = 200

// closing returns the text that follows a complete string: the quote, and a closing
// bracket if nothing else can follow.
func (c *completer) closing() string {
	top := c.frames.top()
	switch {
	case c.method && strings.HasSuffix(strings.TrimRight(c.src[:c.from-1], " "), "["):
		return `"]`
	case top.call != "" && top.call != "IN" && c.last().Text == "(":
		return `")`
	}
	return `"`
}

// escaped returns a text with the escapes that a string literal requires.
func escaped(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s)
}
