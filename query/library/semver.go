package library

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// version is major.minor.patch and what stands behind a hyphen.
type version struct {
	parts [3]int
	given int // how many of the parts were written; "1.31.x" gives 2
	pre   string
}

// parseVersion reads "1.31.0-alpha.1", "v1.31", "1.31.x". What stands behind
// a plus says nothing about order.
func parseVersion(s string) (v version, ok bool) {
	s, _, _ = strings.Cut(strings.TrimPrefix(strings.TrimSpace(s), "v"), "+")
	s, v.pre, _ = strings.Cut(s, "-")
	fields := strings.Split(s, ".")
	if len(fields) > len(v.parts) {
		return v, false
	}
	for i, f := range fields {
		if i > 0 && (f == "x" || f == "*") {
			return v, true
		}
		n, err := strconv.Atoi(f)
		if err != nil || n < 0 {
			return v, false
		}
		v.parts[i], v.given = n, i+1
	}
	return v, true
}

// compare orders versions; one with a pre-release is before the same without.
func (v version) compare(w version) int {
	for i := range v.parts {
		if c := cmp.Compare(v.parts[i], w.parts[i]); c != 0 {
			return c
		}
	}
	switch {
	case v.pre == w.pre:
		return 0
	case v.pre == "":
		return 1
	case w.pre == "":
		return -1
	}
	return comparePre(v.pre, w.pre)
}

// comparePre orders pre-releases as semver.org §11 says: by dotted fields,
// numbers as numbers and before words.
func comparePre(a, b string) int {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(x), len(y)) {
		m, errM := strconv.Atoi(x[i])
		n, errN := strconv.Atoi(y[i])
		c := 0
		switch {
		case errM == nil && errN == nil:
			c = cmp.Compare(m, n)
		case errM == nil:
			c = -1
		case errN == nil:
			c = 1
		default:
			c = cmp.Compare(x[i], y[i])
		}
		if c != 0 {
			return c
		}
	}
	return cmp.Compare(len(x), len(y))
}

// holds tells whether a version meets one condition: ">=1.20", "1.31.x".
func (v version) holds(cond string) (bool, error) {
	ver := strings.TrimLeft(cond, "<>=!")
	op := strings.TrimSuffix(cond, ver)
	w, ok := parseVersion(ver)
	if !ok || w.given == 0 {
		return false, fmt.Errorf("%q is no version range like >=1.20 <1.31", cond)
	}
	c := v.compare(w)
	switch op {
	case "", "=", "==":
		for i := range w.given {
			if v.parts[i] != w.parts[i] {
				return false, nil
			}
		}
		return w.given < len(w.parts) || v.pre == w.pre, nil
	case "!=":
		same, err := v.holds(ver)
		return !same, err
	case ">":
		return c > 0, nil
	case ">=":
		return c >= 0, nil
	case "<":
		return c < 0, nil
	case "<=":
		return c <= 0, nil
	}
	return false, fmt.Errorf("%q is no version range like >=1.20 <1.31", cond)
}

// inRange tells whether a version meets all conditions of a range. What is no
// version (null, "unknown") is in none.
func inRange(c *eval.Call) (any, error) {
	conds, err := text(c, c.Args[0], "a version range")
	if err != nil {
		return nil, err
	}
	in, err := mesh.Force(c.Ctx, c.In)
	if err != nil {
		return nil, err
	}
	s, _ := in.(string)
	v, known := parseVersion(s)
	if strings.TrimSpace(conds) == "" {
		return nil, fmt.Errorf("%q is no version range like >=1.20 <1.31", conds)
	}
	all := known && s != ""
	for cond := range strings.FieldsSeq(conds) {
		ok, err := v.holds(cond)
		if err != nil {
			return nil, err
		}
		all = all && ok
	}
	return all, nil
}
