package shipped

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Program returns the query to run. That is the text of the file; for a check,
// the query also converts each result to a finding. A check returns objects
// with the field message. The fields proxy and subject are set if the result is
// about one, and severity and next override those of the header. A result that
// is true of several proxies has the field proxies instead of proxy. If the
// input of the query is a proxy, it is run for each proxy, and its results need
// not name the proxy.
func (q Query) Program() string {
	text, found := q.Text, ""
	if q.Severity != "" {
		found = "\n| " + q.finding() // it follows the text, because imports have to come first; | has the lowest precedence
	}
	if q.OfProxy { // the first line of the text is its header, so this prefix changes no line number
		text = "def _ofProxy: " + text + "\n; "
		each := ofEachProxy
		if q.Merge {
			each = "([" + each + "] | " + merged + ")"
		}
		if q.OfMesh {
			text += "_apart(_ofProxy), "
		}
		text += each
	}
	return text + found
}

const (
	// ofEachProxy runs a check for each proxy.
	ofEachProxy = ".proxies[] | .id as $proxy | _ofProxy | {$proxy} + ."

	// merged combines results of several proxies that are otherwise the same.
	merged = `group_by([.subject, .message, .severity])[]
  | .[0] + {proxies: map(.proxy)}
  | .proxy = if .proxies[1:] == [] then .proxy else "\(.proxies | length) proxies" end`
)

// finding returns the query that converts a result to a finding. The id of a
// finding stays the same as long as the same fault is found.
func (q Query) finding() string {
	return fmt.Sprintf(`({kind: "Finding", check: %s, severity: %s, proxy: null, subject: null, next: %s} + .)
  | .id = ([.check, if .proxies then null else .proxy end, .subject] | map(values) | join("/"))`, literal(q.Name), literal(q.Severity), literal(q.Next))
}

// results returns a query that selects the results of one check. Its input is
// an array of objects, and the field "result" of each is a result, or missing.
func (q Query) results() string {
	if q.Merge {
		return "map(.result // empty) | " + merged
	}
	return ".[].result // empty"
}

// Unknown returns a query that makes a finding of severity unknown for a proxy
// that a check could not judge. Its input is {proxy, subject, message}. Unknown
// returns "" if the query isn't a check.
func (q Query) Unknown() string {
	if q.Severity == "" {
		return ""
	}
	return fmt.Sprintf(`{kind: "Finding", check: %s, severity: %s, proxy, subject, message, next: %s, id: ([%[1]s, .proxy, %[2]s] | map(values) | join("/"))}`,
		literal(q.Name), literal(Unknown), literal("make the missing part readable, or skip the check with --skip"))
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

// together runs all checks of one proxy before those of the next one, so that
// each proxy is read only once. Before that, each check that runs for each
// proxy reads the list of proxies, in order to report the parts of the list
// that could not be read.
const together = `def _rank: {error: 0, warning: 1, info: 2, unknown: 3}[.severity];
%[1]s as $all
| (($only // $all) - ($skip // []) | map({(.): true}) | add // {}) as $chosen
| ({severity: $severity} | _rank) as $least
| [%[2]s] as $unread
| [.proxies[] | .id as $proxy | (%[3]s)] as $ofProxies
| [%[4]s]
| map(select(.severity == "unknown" or _rank <= $least))
| sort_by(_rank)[]
`

// Together combines several checks into one query. It returns their findings,
// the worst first, and then findings for what could not be judged.
func Together(checks []Query) Query {
	var names []string
	var text strings.Builder
	for _, c := range checks {
		names = append(names, c.Name)
	}
	args := []Argument{
		{Name: "only", Type: Names, Takes: "CHECK,…", Choices: names, Doc: "only these checks"},
		{Name: "skip", Type: Names, Takes: "CHECK,…", Choices: names, Doc: "not these checks; repeat it for several"},
		{Name: "severity", Type: Choice, Takes: strings.Join(Severities(), "|"), Choices: Severities(), Default: "info", Given: true, Doc: "only what is as bad as that, or worse, and what is unknown"},
	}
	var unread, ofProxy, findings []string
	for _, c := range checks {
		function, chosen := "_"+strings.ReplaceAll(c.Name, "-", "_"), fmt.Sprintf("select($chosen[%s])", literal(c.Name))
		if c.OfProxy {
			listed := ".proxies[] | empty"
			if c.OfMesh {
				listed = fmt.Sprintf("_apart(%s | {check: %s, ofMesh: .}), (%s)", function, literal(c.Name), listed)
			}
			fmt.Fprintf(&text, "def %s:\n%s\n;\n", function, c.Text)
			unread = append(unread, fmt.Sprintf("\n   (%s | _judged(%s; %s))", chosen, listed, c.Unknown()))
			ofProxy = append(ofProxy, fmt.Sprintf("\n   (%s | _judged(%s | {$proxy} + . | {check: %s, result: .}; %s))", chosen, function, literal(c.Name), c.Unknown()))
			findings = append(findings, fmt.Sprintf("\n   ([($unread, $ofProxies)[] | select(.check == %s)] | ((.[].ofMesh // empty), (%s) | %s), (.[] | select((.result // .ofMesh) | not)))", literal(c.Name), c.results(), c.finding()))
		} else {
			fmt.Fprintf(&text, "def %s:\n%s\n;\n", function, c.Program())
			findings = append(findings, fmt.Sprintf("\n   (%s | _judged(%s; %s))", chosen, function, c.Unknown()))
		}
		for _, a := range c.Args {
			if !slices.ContainsFunc(args, func(b Argument) bool { return a.Name == b.Name }) {
				args = append(args, a)
			}
		}
	}
	fmt.Fprintf(&text, together, literal(names), strings.Join(unread, ","), strings.Join(ofProxy, ","), strings.Join(findings, ","))
	return Query{
		Name: "check", Aliases: []string{"checks"}, AllParts: true, Args: args, Text: text.String(),
		Summary:  "what is wrong in the mesh: all checks that come with the plugin.",
		Doc:      togetherDoc,
		Examples: []string{"check", "check --severity warning --fail-on-match", "check --fail-on-match --skip permissive --skip skew", "check --only stale -o json"},
	}
}
