package run

import (
	"fmt"
	"strings"

	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/query/shipped"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// unknowns counts the results of checks whose verdict is unknown.
type unknowns struct {
	count  int
	checks []string // the names of the checks, in the order of their first result
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

// String returns a summary such as "3 verdicts are unknown: stale (2), skew".
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

// unknownCheck returns the name of the check if v is a finding whose verdict is
// unknown. For any other result it returns "".
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
