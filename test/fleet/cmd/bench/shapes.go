package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"
)

// shapeSteps is n. All programs are measured at 4n, the plugin also at n, to check that its time is linear.
const shapeSteps = 50_000

// A shape is a query whose time depends on $n.
type shape struct{ name, query string }

// pairs builds an object of $n members.
const pairs = `(reduce range($n) as $i ({}; .["k\($i)"] = $i))`

// shapes returns queries that build values, change them and search in them.
func shapes() []shape {
	return []shape{
		{"build an object", `reduce range($n) as $i ({}; .["k\($i)"] = $i) | length`},
		{"build an array", `reduce range($n) as $i ([]; . + [$i]) | length`},
		{"build a text", `reduce range($n) as $i (""; . + "x") | length`},
		{"build by foreach", `[foreach range($n) as $i ([]; . + [$i]; length)] | length`},
		{"build from entries", `[range($n) | {key: "k\(.)", value: .}] | from_entries | length`},
		{"count by key", `reduce range($n) as $i ({}; .[($i % 1000 | tostring)] += 1) | length`},
		{"set elements", `reduce range($n) as $i ([range(1000)]; .[$i % 1000] = $i) | add`},
		{"set by paths", `reduce range($n) as $i ({}; setpath(["a", "k\($i)"]; $i)) | .a | length`},
		{"update elements", `[range($n) | {a: .}] | map(.a |= . + 1) | length`},
		{"update by iteration", `[range($n) | {a: .}] | .[].a |= . + 1 | length`},
		{"update entries", pairs + ` | with_entries(.value += 1) | length`},
		{"delete members", pairs + ` | reduce range($n) as $i (.; del(.["k\($i)"])) | length`},
		{"delete elements", `reduce range($n) as $i ([range($n)]; del(.[0])) | length`},
		{"sort numbers", `[range($n) | (. * 7919) % 10007] | sort | length`},
		{"sort texts", `[range($n) | (. * 7919) % 10007 | tostring] | sort | length`},
		{"sort by a field", `[range($n) | {a: ((. * 7919) % 10007)}] | sort_by(.a) | length`},
		{"group", `[range($n) | {a: (. % 100)}] | group_by(.a) | length`},
		{"unique", `[range($n) | . % 1000] | unique | length`},
		{"the least by a field", `[range($n) | {a: ((. * 7919) % 10007)}] | min_by(.a)`},
		{"map", `[range($n)] | map(. + 1) | add`},
		{"walk", `[range($n) | {a: ., b: [.]}] | walk(if type == "number" then . + 1 else . end) | length`},
		{"recurse", `[range($n) | [[[.]]]] | [..] | length`},
		{"paths", `[range($n) | {a: ., b: [.]}] | [paths] | length`},
		{"to a stream", `[range($n) | {a: .}] | [tostream] | length`},
		{"through a stream", `[range($n) | {a: .}] | fromstream(tostream) | length`},
		{"flatten", `[range($n) | [[.]]] | flatten | length`},
		{"split", `[range($n) | "a,b,c,\(.)" | split(",") | length] | add`},
		{"join", `[range($n) | tostring] | join(",") | length`},
		{"lower case", `[range($n) | "aBc\(.)" | ascii_downcase] | length`},
		{"explode", `[range($n) | tostring | explode | implode] | length`},
		{"to JSON", `[range($n) | {a: ., b: "x"}] | tojson | length`},
		{"from JSON", `[range($n) | "{\"a\":\(.)}" | fromjson] | length`},
		{"test a regex", `[range($n) | "abc\(.)def" | select(test("c[0-9]+5d"))] | length`},
		{"replace by a regex", `[range($n) | "a\(.)b" | gsub("[0-9]"; "x")] | length`},
		{"arithmetic", `reduce range($n) as $i (0; . + ($i * 3) % 7)`},
		{"limit", `[limit($n; range(1000000000))] | length`},
		{"first", `[range($n) | first(range(.; 1000000000))] | length`},
		{"until", `0 | until(. >= $n; . + 1)`},
		{"recursion", `def f: if . >= $n then . else . + 1 | f end; 0 | f`},
		{"join by an index", `INDEX(range($n) | {id: .}; .id) as $by | [range($n) | $by[tostring].id] | length`},
		{"contains", `[range($n) | {a: {b: .}} | select(contains({a: {b: 5}}))] | length`},
		{"read values", `[inputs] | length`},
	}
}

// shapesPart measures the shapes with the plugin, jq, gojq and jaq. A peer that takes longer than shapePatience has no
// figure.
func (b *bench) shapesPart(ctx context.Context) error {
	t := table{
		title: "What queries do, at n and at 4n",
		note:  fmt.Sprintf("CPU time, without input but for the last; n is %d. A peer without a figure failed, or took more than %s a run.", shapeSteps, shapePatience),
		head:  []string{"work", "ours at n", "ours at 4n", "jq", "gojq", "jaq", "ours / the best of jq and gojq"},
	}
	var steep, slow []string
	measured := 0
	for _, s := range shapes() {
		once, err := b.time(ctx, s, b.plugin, shapeSteps)
		if err != nil {
			return err
		}
		ours, err := b.time(ctx, s, b.plugin, 4*shapeSteps)
		if err != nil {
			return err
		}
		row := []string{s.name, millis(once), millis(ours)}
		best := time.Duration(0)
		for _, peer := range []string{b.jq, b.gojq, b.jaq} {
			path := installed(peer)
			if path == "" {
				row = append(row, "not installed")
				continue
			}
			theirs, err := b.time(ctx, s, path, 4*shapeSteps)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				row = append(row, "")
				continue
			}
			row = append(row, millis(theirs))
			if peer != b.jaq && (best == 0 || theirs < best) {
				best = theirs
			}
		}
		// The 20 ms allow for starting a process, which is most of a short run.
		if ours > 5*once+20*time.Millisecond {
			steep = append(steep, s.name)
		}
		if best > 0 {
			measured++
			row = append(row, fmt.Sprintf("%.2f", float64(ours)/float64(best)))
			if ours > best*3/2+20*time.Millisecond {
				slow = append(slow, s.name)
			}
		} else {
			row = append(row, "")
		}
		t.rows = append(t.rows, row)
	}
	b.report.add(t)
	work := fmt.Sprintf("%d shapes of queries", len(t.rows))
	b.report.addGoal(work, "at 4n ≤ 5× the time at n", len(steep) == 0, "%s", cmp.Or(strings.Join(steep, ", "), "all"))
	if measured > 0 {
		b.report.addGoal(work, "≤ 1.5× the better of jq and gojq", len(slow) == 0, "%s", cmp.Or(strings.Join(slow, ", "), "all"))
	}
	return nil
}

// shapePatience is how long a run of a peer may take.
const shapePatience = 5 * time.Second

// time returns the median CPU time of three runs of a shape. If a run takes over a second, time returns that run's. All
// programs except the plugin have the flags of jq.
func (b *bench) time(ctx context.Context, s shape, path string, n int) (time.Duration, error) {
	p := program{name: path, argv: []string{path, "-n", "-c", "--argjson", "n", fmt.Sprint(n), s.query}}
	if path == b.plugin {
		p.argv[1] = "--null-input"
	}
	if strings.Contains(s.query, "inputs") {
		p.in = strings.Repeat(`{"a":[1,"text",{"b":null}]}`+"\n", n)
		if path == b.plugin {
			p.argv = append(p.argv, "--input", "-")
		}
	}
	var all []sample
	for len(all) < 3 {
		one, err := b.startWithTimeout(ctx, p)
		if err != nil {
			return 0, err
		}
		if all = append(all, one); one.wall > time.Second { // one run is enough, since starting the process is little of its time
			break
		}
	}
	return time.Duration(median(all, cpu) * float64(time.Second)), nil
}

// startWithTimeout runs a program. A peer is stopped after shapePatience.
func (b *bench) startWithTimeout(ctx context.Context, p program) (sample, error) {
	if p.name != b.plugin {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, shapePatience)
		defer cancel()
	}
	return b.start(ctx, p, false)
}
