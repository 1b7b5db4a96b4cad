package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// askCount asks for a little of each proxy.
const askCount = `[.proxies[].clusters | length] | add`

// limitsPart measures what proxies cost that don't answer, that are identified, or that are only listed, and how
// fast the plugin starts.
func (b *bench) limitsPart(ctx context.Context) error {
	for _, part := range []func(context.Context) error{b.hung, b.sideBySide, b.outline, b.starts} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

// once runs a query once over a fleet.
func (b *bench) once(ctx context.Context, m mesh, p func(*simulator) program) (run fleetRun, err error) {
	s, err := b.simulate(ctx, m)
	if err != nil {
		return run, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	out, err := b.ask(ctx, s, 1, []program{p(s)})
	for _, runs := range out {
		run = runs[0]
	}
	return run, err
}

// hung measures a fleet in which some proxies never answer. Each is given up after 5 s.
func (b *bench) hung(ctx context.Context) error {
	const proxies, hung, patience = 500, 25, 5 * time.Second
	m := mesh{proxies: proxies, istiods: 1, dumpMB: checkMB, latency: b.latency}
	count := func(s *simulator) program {
		p := b.query(s, "count", askCount)
		p.code = 6
		return p
	}
	plain, err := b.once(ctx, m, count)
	if err != nil {
		return err
	}
	m.hung = hung
	some, err := b.once(ctx, m, count)
	if err != nil {
		return err
	}
	b.report.add(table{
		title: fmt.Sprintf("%d proxies, of which some never answer", proxies), head: append([]string{"hung"}, fleetHead...),
		rows: [][]string{append([]string{"0"}, fleetRow(askCount, []fleetRun{plain})...), append([]string{fmt.Sprint(hung)}, fleetRow(askCount, []fleetRun{some})...)},
	})
	b.report.addGoal(fmt.Sprintf("%d hung proxies of %d", hung, proxies), "≤ 1.5× the time without them, and the 5 s until they are given up",
		some.wall <= patience+plain.wall*3/2, "%s, without them %s", millis(some.wall), millis(plain.wall))
	return nil
}

// sideBySide measures Envoys whose identity isn't known before they are asked.
func (b *bench) sideBySide(ctx context.Context) error {
	const envoys, latency = 80, 100 * time.Millisecond
	run, err := b.once(ctx, mesh{proxies: envoys, istiods: 1, dumpMB: checkMB, latency: latency, direct: true}, func(s *simulator) program {
		argv := []string{b.plugin, "[.proxies[].id] | length"}
		for _, e := range s.Envoys {
			argv = append(argv, "--envoy", e)
		}
		return program{name: "identify", argv: argv, code: 6}
	})
	if err != nil {
		return err
	}
	if got := strings.TrimSpace(string(run.out)); got != fmt.Sprint(envoys) {
		return fmt.Errorf("%s of %d Envoys were identified", got, envoys)
	}
	work := fmt.Sprintf("%d Envoys without Kubernetes, %s before each answer", envoys, latency)
	b.report.addGoal(work, "identified in ≤ 1/8 of the time one after another", run.wall <= envoys*latency/8, "%s", millis(run.wall))
	return nil
}

// outline measures the memory of proxies of which nothing, or little, is read.
func (b *bench) outline(ctx context.Context) error {
	const small, large = 1_000, 10_000
	memory := func(proxies int, gogc, query string) (int64, error) {
		run, err := b.once(ctx, mesh{proxies: proxies, istiods: 1, dumpMB: checkMB}, func(s *simulator) program {
			p := b.query(s, "outline", query)
			p.env = []string{"GOGC=" + gogc}
			return p
		})
		return run.Memory, err
	}
	var figures []int64
	for _, of := range []struct{ gogc, query string }{{"10", ".proxies[].id"}, {"", askCount}} {
		for _, n := range []int{small, large} {
			f, err := memory(n, of.gogc, of.query)
			if err != nil {
				return err
			}
			figures = append(figures, f)
		}
	}
	each := float64(figures[1]-figures[0]) / (large - small) / 1e3
	b.report.addGoal(fmt.Sprintf("outline of %d proxies, with GOGC=10", large), "≤ 9.5 kB a proxy", each <= 9.5, "%.1f kB", each)
	more := float64(figures[3]) / float64(figures[2])
	b.report.addGoal(fmt.Sprintf("%s, from %d to %d proxies", askCount, small, large), "at most 1.5× the memory", more <= 1.5, "%.2f× (%s to %s)", more, megabytes(figures[2]), megabytes(figures[3]))
	return nil
}

// starts measures runs that read little or nothing.
func (b *bench) starts(ctx context.Context) error {
	for _, of := range []struct {
		what  string
		most  float64 // milliseconds of CPU
		words []string
	}{
		{"start (--version)", 10, []string{"--version"}},
		{"status of the demo", 25, []string{"--snapshot", "demo"}},
	} {
		var all []float64
		for range 4 * b.runs {
			s, err := b.start(ctx, program{argv: append([]string{b.plugin}, of.words...)}, false)
			if err != nil {
				return err
			}
			all = append(all, s.CPU*1e3)
		}
		slices.Sort(all)
		middle := all[len(all)/2]
		b.report.addGoal(of.what, fmt.Sprintf("≤ %g ms of CPU", of.most), middle <= of.most, "%.1f ms", middle)
	}
	return nil
}
