package eval

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/query/values"
)

// hungry lists queries that need more memory than the limit. The first few are always
// run, the others only if the environment variable MESHQ_LONG is set.
var hungry = []string{
	`"x" * 2e9`,
	`null | .[4e8] = 1`,
	`reduce range(100) as $i ("x"; . + .)`,
	`[limit(1e9; repeat(1))]`,
	`[range(1e9)]`,
	`[range(1e9) | tostring]`,
	`[[limit(100; repeat("x"))] | until(false; . + .)]`,
	`"x" | until(false; "\(.)\(.)")`,
	`[limit(1e9; repeat("ab"))] | add`,
	`[range(3e7)] | [., .] | combinations`,
	`reduce range(1e8) as $i ({}; . + {"\($i)": [$i, $i, $i]})`,
	`[range(1e6)] as $x | [range(1e6) | $x + [.]]`,
	`("x" * 5e7) | [splits("")]`,
	`("x" * 2e8) | explode`,
	`("x" * 5e8) | ascii_upcase | ascii_downcase | tojson | tojson | length`,
	`[range(2e7)] | tojson | tojson | length`,
	`[range(1e7)] | map([.]) | group_by(.) | map(length)`,
}

// TestInvariant11 checks that a run's memory is limited. Each query runs in a process of
// its own. The process must end in time, and use less than twice the limit in addition to
// what every such process needs.
func TestInvariant11(t *testing.T) {
	if q := os.Getenv("MESHQ_HUNGRY"); q != "" {
		consume(t, q)
		return
	}
	if runtime.GOOS != "linux" {
		t.Skip("the peak of a process is read from /proc")
	}
	queries, mib := hungry[:4], 128
	if os.Getenv("MESHQ_LONG") != "" {
		queries, mib = hungry, 1024
	}
	for _, q := range queries {
		cmd := exec.Command(os.Args[0], "-test.run=^TestInvariant11$", "-test.v")
		cmd.Env = append(os.Environ(), "MESHQ_HUNGRY="+q, fmt.Sprint("MESHQ_MIB=", mib))
		out, err := cmd.CombinedOutput()
		m := regexp.MustCompile(`peak (\d+) MB, (\S+): (.*)`).FindStringSubmatch(string(out))
		if err != nil || m == nil {
			t.Errorf("%s: %v\n%.2000s", q, err, out)
			continue
		}
		t.Logf("%4s MB %8s %-60s %s", m[1], m[2], m[3], q)
		if peak, _ := strconv.Atoi(m[1]); peak >= max(512, 2*mib) {
			t.Errorf("%s: peak %d MB", q, peak)
		}
	}
}

const (
	deadline = 2 * time.Second
	slack    = hung
)

// consume runs a query in the separate process.
func consume(t *testing.T, q string) {
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	start := time.Now()
	mib, _ := strconv.ParseInt(os.Getenv("MESHQ_MIB"), 10, 64)
	err := mustCompile(t, q, Options{}).Run(ctx, nil, nil, RunOptions{Memory: mib << 20}, func(any) error { return nil })
	took := time.Since(start)
	var limit *values.LimitError
	if err == nil || !errors.As(err, &limit) && !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if took > deadline+slack {
		t.Errorf("it took %v", took)
	}
	status, _ := os.ReadFile("/proc/self/status")
	peak := 0
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			_, _ = fmt.Sscan(rest, &peak)
		}
	}
	fmt.Printf("peak %d MB, %v: %v\n", peak>>10, took.Round(time.Millisecond), err)
}
