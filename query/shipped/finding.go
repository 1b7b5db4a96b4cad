package shipped

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Program returns the query to run. That is the file's text; for a check, it
// also converts each result to a finding. A check returns objects with the
// field message. The fields proxy and subject are set if the result is about
// one, and severity and next override those of the header. A result that is
// true of several proxies has the field proxies instead of proxy.
func (q Query) Program() string {
	if q.Severity == "" {
		return q.Text
	}
	return q.Text + "\n| " + q.finding() // at the end, so that imports stay first; | binds least
}

// finding returns the query that converts a result to a finding. The id of a
// finding stays the same as long as the same fault is found.
func (q Query) finding() string {
	return fmt.Sprintf(`({kind: "Finding", check: %s, severity: %s, proxy: null, subject: null, next: %s} + .)
  | .id = ([.check, if .proxies then null else .proxy end, .subject] | map(values) | join("/"))`, literal(q.Name), literal(q.Severity), literal(q.Next))
}

// Unknown returns a query that makes a finding of a failure {proxy, subject,
// message} that kept a check from judging. It returns "" if the query is not a
// check.
func (q Query) Unknown() string {
	if q.Severity == "" {
		return ""
	}
	return fmt.Sprintf(`{kind: "Finding", check: %s, severity: %s, proxy, subject, message, next: %s, id: ([%[1]s, .proxy, %[2]s] | map(values) | join("/"))}`,
		literal(q.Name), literal(Unknown), literal("make what is missing readable, or leave the check out with --skip"))
}

// literal formats a string, or a list of strings, as jq writes it.
func literal(v any) string {
	b, _ := json.Marshal(v) // strings can always be marshaled
	return string(b)
}

const togetherDoc = `Each check is a query of its own, by its name, and is judged by itself. A finding says how bad it is, which proxy and what of it
is meant, and what to do next; its id stays the same as long as the same is wrong. Where something that a check needs was not read,
its finding is of severity unknown: for a proxy, or for the mesh. These come last, whatever --severity says, and the exit code is 6.
--fail-on-match makes it a gate for CI: it exits 1 on a finding, also on one that is unknown, unless --unknown=warn is given.`

const together = `def _rank: {error: 0, warning: 1, info: 2, unknown: 3}[.severity];
%[1]s as $all
| ({severity: $severity} | _rank) as $least
| [%[2]s]
| map(select(.severity == "unknown" or _rank <= $least))
| sort_by(_rank)[]
`

// Together combines several checks into one query. It returns their findings,
// the worst first, and at the end what could not be judged.
func Together(checks []Query) Query {
	var names, calls []string
	var text strings.Builder
	for _, c := range checks {
		names = append(names, c.Name)
	}
	args := []Argument{
		{Name: "only", Type: Names, Takes: "CHECK,…", Choices: names, Doc: "only these checks"},
		{Name: "skip", Type: Names, Takes: "CHECK,…", Choices: names, Doc: "not these checks; repeat it for several"},
		{Name: "severity", Type: Choice, Takes: strings.Join(Severities(), "|"), Choices: Severities(), Default: "info", Given: true, Doc: "only what is as bad as that, or worse, and what is unknown"},
	}
	for _, c := range checks {
		function := "_" + strings.ReplaceAll(c.Name, "-", "_")
		calls = append(calls, fmt.Sprintf("\n   (select(any(($only // $all)[]; . == %[1]s) and all(($skip // [])[]; . != %[1]s)) | _judged(%[2]s; %[3]s))", literal(c.Name), function, c.Unknown()))
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
		Examples: []string{"check", "check --severity warning --fail-on-match", "check --fail-on-match --skip permissive --skip skew", "check --only stale -o json"},
	}
}
