package run

import (
	"fmt"
	"strings"

	"github.com/meshq/kubectl-meshq/plugin/options"
	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/query/shipped"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// unknowns are the findings that say what could not be judged.
type unknowns struct {
	count  int
	checks []string // in the order they came
	of     map[string]int
}

func (u *unknowns) add(check string) {
	if check == "" {
		return
	}
	if u.of == nil {
		u.of = map[string]int{}
	}
	if u.of[check] == 0 {
		u.checks = append(u.checks, check)
	}
	u.of[check]++
	u.count++
}

// String counts them: "3 verdicts are unknown: stale (2), skew".
func (u *unknowns) String() string {
	var parts []string
	for _, check := range u.checks {
		if n := u.of[check]; n > 1 {
			check = fmt.Sprintf("%s (%d)", check, n)
		}
		parts = append(parts, check)
	}
	return process.OneLine(Plural(u.count, "verdict is", "verdicts are") + " unknown: " + strings.Join(parts, ", "))
}

// unknownCheck gives the check that a result says could not be judged; empty
// for any other result.
func unknownCheck(v any) string {
	m, ok := v.(*object.Object)
	if !ok || m.Get("kind") != "Finding" || m.Get("severity") != shipped.Unknown {
		return ""
	}
	if check, _ := m.Get("check").(string); check != "" {
		return check
	}
	return "a check without a name"
}

// statusCode is what -e and --fail-on-match say of the results.
func (r *Run) statusCode() int {
	switch {
	case r.FailOnMatch && r.matches() > 0:
		return process.ExitFound
	case r.ExitStatus && r.Results == 0:
		return process.ExitEmpty
	case r.ExitStatus && !r.last:
		return process.ExitFound
	}
	return process.ExitOK
}

// matches counts the results that --fail-on-match is about.
func (r *Run) matches() int {
	if r.Unknown == options.WarnUnknown {
		return r.Results - r.unknowns.count
	}
	return r.Results
}

// lenient tells whether what was not read leaves the exit code as it is. A gate
// that nobody looks at is never open because of it, unless that is said with
// --unknown=warn.
func (r *Run) lenient() bool {
	return r.Unknown == options.WarnUnknown || r.AllowPartial && !r.Changed("fail-on-match")
}
