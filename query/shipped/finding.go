package shipped

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Program is the query to run: the file's text, and for a check what makes a
// finding of each result. A check gives objects with message, and with proxy
// and subject where it is about such; it may give a severity and a next of
// its own. One that says what is so of several proxies gives them as proxies.
func (q Query) Program() string {
	if q.Severity == "" {
		return q.Text
	}
	return q.Text + "\n| " + q.finding() // behind it, where no import stands in the way: | binds last
}

// finding makes a finding of a result. Its id is the same whenever the same is
// found again.
func (q Query) finding() string {
	return fmt.Sprintf(`({kind: "Finding", check: %s, severity: %s, proxy: null, subject: null, next: %s} + .)
  | .id = ([.check, if .proxies then null else .proxy end, .subject] | map(values) | join("/"))`, literal(q.Name), literal(q.Severity), literal(q.Next))
}

// literal writes strings as the language does.
func literal(v any) string {
	b, _ := json.Marshal(v) // strings can be
	return string(b)
}

const togetherDoc = `Each check is a query of its own, by its name. A finding says how bad it is, which proxy and what of it is meant, and what
to do next; its id stays the same as long as the same is wrong. --fail-on-match makes it a gate for CI.`

const together = `def _listed($text): $text | split(",") | map(gsub("^ +| +$"; "") | select(. != ""));
def _rank: {error: 0, warning: 1, info: 2}[.severity];
%[1]s as $all
| (if $only then _listed($only) else $all end) as $only
| (if $skip then _listed($skip) else [] end) as $skip
| ($only + $skip - $all) as $unknown
| if $unknown != [] then error("no check named \($unknown[0]); there are \($all | join(", "))") else . end
| ({severity: $severity} | _rank) as $least
| [%[2]s]
| map(select(_rank <= $least))
| sort_by(_rank)[]
`

// Together makes one query of several checks: what they find, the worst first.
func Together(checks []Query) Query {
	var names, calls []string
	var text strings.Builder
	args := []Argument{
		{Name: "only", Type: Text, Takes: "CHECK,…", Doc: "only these checks"},
		{Name: "skip", Type: Text, Takes: "CHECK,…", Doc: "not these checks"},
		{Name: "severity", Type: Choice, Takes: strings.Join(Severities(), "|"), Choices: Severities(), Default: "info", Given: true, Doc: "only what is as bad as that, or worse"},
	}
	for _, c := range checks {
		function := "_" + strings.ReplaceAll(c.Name, "-", "_")
		names = append(names, c.Name)
		calls = append(calls, fmt.Sprintf("\n   (select(any($only[]; . == %[1]s) and all($skip[]; . != %[1]s)) | %[2]s)", literal(c.Name), function))
		fmt.Fprintf(&text, "def %s:\n%s\n;\n", function, c.Program())
		for _, a := range c.Args {
			if !slices.ContainsFunc(args, func(b Argument) bool { return a.Name == b.Name }) {
				args = append(args, a)
			}
		}
	}
	fmt.Fprintf(&text, together, literal(names), strings.Join(calls, ","))
	return Query{
		Name: "check", Aliases: []string{"checks"}, Args: args, Text: text.String(),
		Summary:  "what is wrong in the mesh: all checks that come with the plugin.",
		Doc:      togetherDoc,
		Examples: []string{"check", "check --severity warning --fail-on-match", "check --only stale -o json"},
	}
}
