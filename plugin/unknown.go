package plugin

import (
	"fmt"
	"strings"

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
	return oneLine(plural(u.count, "verdict is", "verdicts are") + " unknown: " + strings.Join(parts, ", "))
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
func (r *run) statusCode() int {
	switch {
	case r.failOnMatch && r.matches() > 0:
		return exitFound
	case r.exitStatus && r.results == 0:
		return exitEmpty
	case r.exitStatus && !r.last:
		return exitFound
	}
	return exitOK
}

// matches counts the results that --fail-on-match is about.
func (r *run) matches() int {
	if r.unknown == warnUnknown {
		return r.results - r.unknowns.count
	}
	return r.results
}

// lenient tells whether what was not read leaves the exit code as it is. A gate
// that nobody looks at is never open because of it, unless that is said with
// --unknown=warn.
func (r *run) lenient() bool {
	return r.unknown == warnUnknown || r.allowPartial && !r.changed("fail-on-match")
}
