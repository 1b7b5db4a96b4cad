package library

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

func valueNatives() []eval.Native {
	return []eval.Native{
		{Name: "_time", Value: seconds},
		{Name: "_duration", Value: duration},
		{Name: "_cidr", Arity: 1, Value: inBlock},
		{Name: "_semver", Arity: 1, Value: inRange},
	}
}

// text gives a value that has to be a string.
func text(c *eval.Call, v any, what string) (string, error) {
	v, err := mesh.Force(c.Ctx, v)
	if err != nil {
		return "", err
	}
	s, ok := v.(string)
	if !ok {
		return "", fmt.Errorf("%s is a string, not %s", what, typeName(v))
	}
	return s, nil
}

func typeName(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case string:
		return "a string"
	case []any:
		return "an array"
	case *object.Object:
		return "an object"
	}
	return "a number"
}

// seconds gives a time, RFC 3339, as seconds since 1970.
func seconds(c *eval.Call) (any, error) {
	s, err := text(c, c.In, "a time")
	if err != nil {
		return nil, err
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return nil, fmt.Errorf("%q is no time like 2006-01-02T15:04:05Z", s)
	}
	return float64(t.UnixMilli()) / 1000, nil
}

// duration gives "72h", "7d", or a number of seconds, in seconds.
func duration(c *eval.Call) (any, error) {
	v, err := mesh.Force(c.Ctx, c.In)
	if err != nil {
		return nil, err
	}
	switch n := v.(type) {
	case int, float64, json.Number:
		return n, nil
	case string:
		if d, err := parseDuration(n); err == nil {
			return d.Seconds(), nil
		}
		return nil, fmt.Errorf("%q is no duration like 90s, 15m, 72h or 7d", n)
	}
	return nil, fmt.Errorf("a duration is a string like 72h or a number of seconds, not %s", typeName(v))
}

// parseDuration is time.ParseDuration with days in front.
func parseDuration(s string) (time.Duration, error) {
	days, rest, ok := strings.Cut(s, "d")
	if !ok {
		return time.ParseDuration(s)
	}
	n, err := strconv.ParseFloat(days, 64)
	if err != nil {
		return 0, err
	}
	if !(math.Abs(n) < 100_000) { // 292 years are the most that fit; no NaN either
		return 0, errors.New("too long")
	}
	d := time.Duration(n * 24 * float64(time.Hour))
	if rest == "" {
		return d, nil
	}
	more, err := time.ParseDuration(rest)
	return d + more, err
}

// inBlock tells whether an address lies in a CIDR block. What is no address
// (a pipe, null) lies in none.
func inBlock(c *eval.Call) (any, error) {
	block, err := text(c, c.Args[0], "a CIDR block")
	if err != nil {
		return nil, err
	}
	prefix, err := netip.ParsePrefix(block)
	if err != nil {
		return nil, fmt.Errorf("%q is no CIDR block like 10.0.0.0/8", block)
	}
	v, err := mesh.Force(c.Ctx, c.In)
	if err != nil {
		return nil, err
	}
	s, _ := v.(string)
	addr, err := netip.ParseAddr(s)
	if err != nil {
		return false, nil
	}
	return prefix.Contains(addr.Unmap()), nil
}
