package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// figures holds the results of a Go benchmark by unit: "ns/op", "MB/s".
type figures map[string]float64

// rounds is how many times each Go benchmark runs.
const rounds = 3

// goBenchmarks runs Go benchmarks several times and returns the medians by benchmark name. Benchmarks that are compared
// take turns, so that a change of the machine's load affects both.
func (b *bench) goBenchmarks(ctx context.Context, pkg, pattern string) (map[string]figures, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*b.patience)
	defer cancel()
	all := map[string][]figures{}
	for range rounds {
		cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", pattern, "-benchtime", b.benchtime, pkg)
		cmd.WaitDelay = 5 * time.Second
		out, err := cmd.CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, out)
		}
		for line := range bytes.Lines(out) {
			if name, f := parse(string(line)); f != nil {
				all[name] = append(all[name], f)
			}
		}
	}
	medians := map[string]figures{}
	for name, of := range all {
		medians[name] = figures{}
		for unit := range of[0] {
			medians[name][unit] = median(of, func(f figures) float64 { return f[unit] })
		}
	}
	return medians, nil
}

// parse parses a line of benchmark output: "BenchmarkOurs/fib-2  500  2031 ns/op  1.5 MB/s".
func parse(line string) (name string, f figures) {
	word := strings.Fields(line)
	if len(word) < 4 || !strings.HasPrefix(word[0], "Benchmark") {
		return "", nil
	}
	name = strings.TrimPrefix(word[0], "Benchmark")
	if i := strings.LastIndexByte(name, '-'); i > 0 {
		name = name[:i]
	}
	f = figures{}
	for i := 2; i+1 < len(word); i += 2 {
		if n, err := strconv.ParseFloat(word[i], 64); err == nil {
			f[word[i+1]] = n
		}
	}
	return name, f
}

// decoder measures the decoder alone, and encoding/json for comparison.
func (b *bench) decoder(ctx context.Context) error {
	if b.benchtime == "0" {
		return nil
	}
	all, err := b.goBenchmarks(ctx, "./sources/decode", "^BenchmarkPass(Recorded)?$")
	if err != nil {
		return err
	}
	t := table{
		title: "The decoder alone, on one core", note: "Over dumps of 13.5 MB in memory: a replicated one and, where it is there, a real one.",
		head: []string{"work", "dump", "speed", "times encoding/json's"},
	}
	for _, work := range []string{"skip", "names", "route", "levels", "routes", "all"} {
		for _, dump := range []string{"Pass", "PassRecorded"} {
			if f := all[dump+"/"+work]; f != nil {
				t.rows = append(t.rows, []string{work, map[string]string{"Pass": "replicated", "PassRecorded": "real"}[dump], fmt.Sprintf("%.0f MB/s", f["MB/s"]), fmt.Sprintf("%.1f", f["x-std"])})
			}
		}
	}
	b.report.add(t)
	skip, names := all["Pass/skip"], all["Pass/names"]
	b.namesRate = names["MB/s"] * 1e6
	b.report.addGoal("decoder alone, skip-all", "≥ 1 GB/s on a core", skip["MB/s"] >= 1000, "%.2f GB/s", skip["MB/s"]/1000)
	b.report.addGoal("decoder alone, cluster names", "≥ 8× encoding/json", names["x-std"] >= 8, "%.1f×", names["x-std"])
	return nil
}

// machines measures the evaluator beside gojq's machine.
func (b *bench) machines(ctx context.Context) error {
	if b.benchtime == "0" {
		return nil
	}
	all, err := b.goBenchmarks(ctx, "./query/eval", "^Benchmark(Programs)?(Ours|Gojq)$")
	if err != nil {
		return err
	}
	t := table{title: "The evaluator beside gojq's machine", note: "Programs over plain values that are compiled already; below 1 is faster.", head: []string{"program", "ours", "gojq", "ours / gojq"}}
	type row struct {
		name         string
		ours, theirs float64
	}
	var rows []row
	for name, ours := range all {
		prefix, program, ok := strings.Cut(name, "Ours/")
		if theirs := all[prefix+"Gojq/"+program]; ok && theirs != nil {
			rows = append(rows, row{prefix + program, ours["ns/op"], theirs["ns/op"]})
		}
	}
	slices.SortFunc(rows, func(a, b row) int { return strings.Compare(a.name, b.name) })
	var ratios []float64
	worst, worstName := 0.0, ""
	for _, r := range rows {
		ratio := r.ours / r.theirs
		ratios = append(ratios, ratio)
		if ratio > worst {
			worst, worstName = ratio, r.name
		}
		t.rows = append(t.rows, []string{r.name, micros(r.ours), micros(r.theirs), fmt.Sprintf("%.2f", ratio)})
	}
	b.report.add(t)
	half := median(ratios, func(f float64) float64 { return f })
	work := fmt.Sprintf("evaluator against gojq's machine, %d programs", len(rows))
	b.report.addGoal(work, "median not slower", half <= 1, "median %.2f of gojq's time", half)
	b.report.addGoal(work, "none over 3× slower", worst <= 3, "at most %.2f (%s)", worst, worstName)
	return nil
}

func micros(nanos float64) string { return fmt.Sprintf("%.0f µs", nanos/1e3) }
