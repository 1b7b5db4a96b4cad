package eval

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/query/values"
)

// tooLargeFor lists queries with a result, or an intermediate value, that is larger than
// 16 MiB. In each query one builtin creates that value, so the builtin must check the
// size in advance.
var tooLargeFor = []string{
	`"x" * 2e9`,
	`"xy" * 2e7 | . + .`,
	`2e9 * "x"`,
	`.[4e8] = 1`,
	`[limit(1e9; repeat(1))]`,
	`[range(1e9)]`,
	`[range(2e6)] | tojson | . + . + . + . + . + .`,
	`reduce range(60) as $i ("ab"; . + .)`,
	`reduce range(60) as $i ([1]; . + .)`,
	`reduce range(60) as $i ([0]; [., .]) | tojson`,
	`reduce range(60) as $i ([0]; [., .]) | tostring`,
	`reduce range(60) as $i ([0]; [., .]) | flatten`,
	`reduce range(60) as $i ([0]; [., .]) | @base64`,
	`reduce range(60) as $i ([0]; [., .]) | error`,
	`[[range(300)], [range(300)], [range(300)]] | [combinations]`,
	`"a" * 2e7 | split("")`,
	`"a" * 2e7 | explode`,
	`"a,b" * 2e6 | [splits(",")]`,
	`"a" * 4e6 | [match("a"; "g")]`,
	`"a" * 4e6 | [scan("(a)")]`,
	`"a" * 5e6 | gsub("a"; "bbbbbbbbbbbbbbbb")`,
	`"a" * 1e6 as $p | "b" | test($p)`,
	`"<" * 2e7 | @html`,
	`"<" * 3e7 | @uri`,
	`["\"" * 3e7] | @csv`,
	`["'" * 2e7] | @sh`,
	`"a" * 2e7 | indices("a")`,
	`[range(100000)] | join("x" * 10000)`,
	`[range(300000) | tostring] | to_entries`,
	`INDEX(range(1e9); .)`,
	`[range(1e9) | tostring] | add`,
	`add(range(1e9) | tostring)`,
	`add(range(1e9) | [.])`,
	`[inputs]`,
	`last(range(1e9) | [range(1e9)])`,
	`[1] | group_by(range(1e9))`,
	`[1] | sort_by(range(1e9))`,
	`[1] | walk(., [range(1e9)])`,
	`{} | walk([range(1e9)])`,
	`[1] | with_entries(range(1e9) | {key: tostring, value: .})`,
	`[range(1e9)] | tostream`,
	`"[" + "0," * 1e7 + "0]" | fromjson`,
	`@json "\(range(3) | "x" * 3e7)\("x" * 3e7)"`,
}

// TestBuiltinsKeepTheBudget runs the queries in tooLargeFor with a limit of 16 MiB and a
// deadline. Each query must end with the error for the memory limit long before the
// deadline, and must never use much more memory than the limit.
func TestBuiltinsKeepTheBudget(t *testing.T) {
	const limit = 16 << 20
	for _, query := range tooLargeFor {
		code := mustCompile(t, query, Options{})
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		peak := watchHeap()
		err := code.Run(ctx, nil, nil, RunOptions{Memory: limit, Input: func() (any, bool, error) { return make([]any, 1000), true, nil }},
			func(any) error { return nil })
		held := peak()
		cancel()
		var le *values.LimitError
		if !errors.As(err, &le) || !strings.Contains(le.What, "more memory than allowed (16 MiB)") {
			t.Errorf("%s: %v", query, err)
		}
		if held > 6*limit {
			t.Errorf("%s: held %d MiB", query, held>>20)
		}
	}
}

// watchHeap starts to measure the heap. The returned function stops the measurement and
// returns by how many bytes the heap has grown at most.
func watchHeap() func() int64 {
	const objects = "/memory/classes/heap/objects:bytes"
	before, most := values.ReadHeap(objects), int64(0)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for tick := time.NewTicker(time.Millisecond); ; {
			most = max(most, values.ReadHeap(objects)-before)
			select {
			case <-stop:
				tick.Stop()
				return
			case <-tick.C:
			}
		}
	}()
	return func() int64 {
		close(stop)
		<-done
		return most
	}
}

// unending lists queries that never end by themselves.
var unending = []string{
	`"ab" * 2000000 | test("(a*)*c")`,
	`last(repeat(1))`,
	`until(false; .)`,
	`last(until((false, false); .))`,
	`last(recurse(., .))`,
	`last(recurse(.))`,
	`last(while(true; .))`,
	`last(range(infinite))`,
	`isempty(repeat(empty))`,
	`any(repeat(false); .)`,
	`first(repeat(empty))`,
	`limit(1; repeat(empty))`,
	`skip(1e18; repeat(1))`,
	`add(repeat(null))`,
	`[range(100000)] - [range(100000)]`,
	`[range(100000)] | [.[] as $x | index($x)]`,
	`[range(30)] | last(combinations(30))`,
	`reduce range(60) as $i ([0]; [., .]) | . == .`,
	`reduce range(60) as $i ([0]; [., .]) | last(..)`,
	`reduce range(60) as $i ([0]; [., .]) | last(tostream)`,
	`reduce range(60) as $i ([0]; [., .]) | last(paths)`,
	`INDEX(repeat("a"); .)`,
	`def f: def g: f; g; f`,
	`[limit(100000; repeat("ab"))] | join(",") | [splits("a")] as $x | last(repeat($x | sort | unique))`,
}

// TestBuiltinsEndAtTheDeadline checks that every builtin ends when its context
// ends.
func TestBuiltinsEndAtTheDeadline(t *testing.T) {
	for _, query := range unending {
		code := mustCompile(t, query, Options{})
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
		begun := time.Now()
		err := code.Run(ctx, nil, nil, RunOptions{}, func(any) error { return nil })
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", query, err)
		}
		if d := time.Since(begun); d > hung {
			t.Errorf("%s: ended after %v", query, d)
		}
	}
}

// TestLargeValuesAreMeasuredUntilTheDeadline measures the size of a value with few
// distinct arrays but very many elements. The measurement must end soon after the
// deadline.
func TestLargeValuesAreMeasuredUntilTheDeadline(t *testing.T) {
	one := make([]any, 1_000_000)
	// the arrays exceed the memory limit, so without the deadline the run would end with
	// the error for that limit
	all := make([]any, 200)
	for i := range all {
		all[i] = one
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	err := mustCompile(t, "tojson", Options{}).Run(ctx, all, nil, RunOptions{}, func(any) error { return nil })
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}
