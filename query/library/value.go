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

	"github.com/meshq/kubectl-meshq/query/document"
	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

func valueNatives() []eval.Native {
	return []eval.Native{
		{Name: "_time", Value: seconds},
		{Name: "_duration", Value: duration},
		{Name: "_cidr", Arity: 1, Value: inBlock},
		{Name: "_semver", Arity: 1, Value: inRange},
	}
}

// stringOf returns a value as a string, or an error if it isn't one. what is the name of
// the value in the error message.
func stringOf(r *document.Reader, v any, what string) (string, error) {
	v = r.Force(v)
	s, ok := v.(string)
	if !ok && r.Err == nil {
		return "", fmt.Errorf("%s is a string, not %s", what, document.TypeName(v))
	}
	return s, r.Err
}

// seconds implements the native function _time. It converts a time in RFC 3339 format to
// seconds since 1970.
func seconds(c *eval.Call) (any, error) {
	s, err := stringOf(document.NewReader(c.Ctx), c.In, "a time")
	if err != nil {
		return nil, err
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return nil, fmt.Errorf("%q is no time like 2006-01-02T15:04:05Z", s)
	}
	return float64(t.UnixMilli()) / 1000, nil
}

// duration implements the native function _duration. It converts a duration such as "72h"
// or "7d", or a number of seconds, to seconds.
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
	return nil, fmt.Errorf("a duration is a string like 72h or a number of seconds, not %s", document.TypeName(v))
}

// parseDuration parses a duration as time.ParseDuration does. The string may also begin
// with a number of days, as in "1d12h".
func parseDuration(s string) (time.Duration, error) {
	days, rest, ok := strings.Cut(s, "d")
	if !ok {
		return time.ParseDuration(s)
	}
	n, err := strconv.ParseFloat(days, 64)
	if err != nil {
		return 0, err
	}
	if !(math.Abs(n) < 100_000) { // a time.Duration can represent up to 292 years; NaN is rejected here too
		return 0, errors.New("too long")
	}
	d := time.Duration(n * 24 * float64(time.Hour))
	if rest == "" {
		return d, nil
	}
	more, err := time.ParseDuration(rest)
	return d + more, err
}

// inBlock implements the native function _cidr(block). It reports whether an IP address
// is in a CIDR block. A value that isn't an IP address, such as null or the path of a
// socket, is in no block.
func inBlock(c *eval.Call) (any, error) {
	r := document.NewReader(c.Ctx)
	block, err := stringOf(r, c.Args[0], "a CIDR block")
	if err != nil {
		return nil, err
	}
	prefix, err := netip.ParsePrefix(block)
	if err != nil {
		return nil, fmt.Errorf("%q is no CIDR block like 10.0.0.0/8", block)
	}
	addr, err := netip.ParseAddr(r.Text(c.In))
	return err == nil && prefix.Contains(addr.Unmap()), r.Err
}
