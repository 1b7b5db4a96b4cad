package library

import (
	"fmt"
	"strings"

	"github.com/blang/semver/v4"

	"github.com/meshq/kubectl-meshq/query/document"
	"github.com/meshq/kubectl-meshq/query/eval"
)

// parseVersion parses a version such as "1.31.0-alpha.1", "v1.31", "1.24-alpha.f5ee"
// (Istio's form for builds between releases) or "1.31.x". Missing parts are 0. given is
// the number of parts, up to three, that the string contains.
func parseVersion(s string) (v semver.Version, given int, ok bool) {
	s = strings.TrimPrefix(strings.TrimSpace(s), "v")
	number, rest := s, ""
	if at := strings.IndexAny(s, "-+"); at >= 0 {
		number, rest = s[:at], s[at:]
	}
	parts := strings.Split(number, ".")
	for given < len(parts) && (given == 0 || parts[given] != "x" && parts[given] != "*") {
		given++
	}
	if given < len(parts) {
		rest = ""
	}
	padded := append(parts[:given:given], "0", "0")
	v, err := semver.ParseTolerant(strings.Join(padded[:max(3, given)], ".") + rest)
	return v, given, err == nil
}

// satisfies reports whether a version meets one condition, such as ">=1.20" or "1.31.x".
// Equality compares only the parts that the condition contains. ok is false if the string
// isn't a condition.
func satisfies(v semver.Version, condition string) (is, ok bool) {
	text := strings.TrimLeft(condition, "<>=!")
	w, given, ok := parseVersion(text)
	c := v.Compare(w)
	isEqual := c == 0
	switch given {
	case 1:
		isEqual = v.Major == w.Major
	case 2:
		isEqual = v.Major == w.Major && v.Minor == w.Minor
	}
	switch strings.TrimSuffix(condition, text) {
	case "", "=", "==":
		return isEqual, ok
	case "!=":
		return !isEqual, ok
	case ">":
		return c > 0, ok
	case ">=":
		return c >= 0, ok
	case "<":
		return c < 0, ok
	case "<=":
		return c <= 0, ok
	}
	return false, false
}

// inRange implements the native function _semver(range). It reports whether a version
// meets all conditions of a range. A value that isn't a version, such as null or
// "unknown", meets no range.
func inRange(c *eval.Call) (any, error) {
	r := document.NewReader(c.Ctx)
	conditions, err := stringOf(r, c.Args[0], "a version range")
	if err != nil {
		return nil, err
	}
	v, _, all := parseVersion(r.Text(c.In))
	if r.Err != nil {
		return nil, r.Err
	}
	fields := strings.Fields(conditions)
	if len(fields) == 0 {
		fields = []string{conditions}
	}
	for _, condition := range fields {
		is, ok := satisfies(v, condition)
		if !ok {
			return nil, fmt.Errorf("%q is no version range like >=1.20 <1.31", condition)
		}
		all = all && is
	}
	return all, nil
}
