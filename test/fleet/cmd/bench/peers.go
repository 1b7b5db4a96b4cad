package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// clusterTable measures the table of all clusters, as istioctl prints it.
func (b *bench) clusterTable(ctx context.Context, d dumpFile) error {
	all := []program{{name: "kubectl-meshq", argv: []string{b.plugin, "proxy-config", "clusters", "-f", d.path}}}
	istioctl := installed(b.istioctl)
	if istioctl != "" {
		all = append(all, program{name: "istioctl", argv: []string{istioctl, "proxy-config", "clusters", "-f", d.path}})
	}
	samples, err := b.runInTurns(ctx, b.runs, all, nil)
	if err != nil {
		return err
	}
	work := "the table of all clusters of " + d.what
	b.report.add(comparison(work, samples))
	if theirs := samples["istioctl"]; theirs != nil {
		ours := samples["kubectl-meshq"]
		n := times(median(theirs, wall), median(ours, wall))
		b.report.addGoal(work, "≥ 10× faster than istioctl", n >= 10, "%.1f× (of CPU %.1f×)", n, median(theirs, cpu)/median(ours, cpu))
	}
	return nil
}

// comparison returns a table that compares two programs which did the same work.
func comparison(title string, samples map[string][]sample) table {
	t := table{title: title, head: []string{"program", "time", "CPU", "peak memory", "times our time", "times our CPU"}}
	ours := samples["kubectl-meshq"]
	for _, name := range []string{"kubectl-meshq", "istioctl"} {
		s := samples[name]
		if s == nil {
			t.rows = append(t.rows, []string{name, "not installed", "", "", "", ""})
			continue
		}
		t.rows = append(t.rows, []string{
			name, millis(median(s, wall)), seconds(median(s, cpu)), megabytes(median(s, memory)),
			fmt.Sprintf("%.1f", times(median(s, wall), median(ours, wall))), fmt.Sprintf("%.1f", median(s, cpu)/median(ours, cpu)),
		})
	}
	return t
}

// pairMB is the size of the dump in MB that is compared with istiod's configuration.
const pairMB = 13.5

// difference measures the comparison of a large dump with the configuration that istiod would send. istioctl can only
// compare a live proxy, so it isn't measured.
func (b *bench) difference(ctx context.Context) error {
	folder := filepath.Join(b.folder, "pair")
	cmd := exec.CommandContext(ctx, b.pair, "--captures", b.captures, "--dump", fmt.Sprint(pairMB), "--out", folder)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", b.pair, err)
	}
	samples, err := b.runInTurns(ctx, b.runs, []program{{name: "kubectl-meshq", code: 1, argv: []string{b.plugin, "diff", "reviews-v2", "--snapshot", folder}}}, nil)
	if err != nil {
		return err
	}
	ours := samples["kubectl-meshq"]
	work := fmt.Sprintf("diff of a replicated %.1f MB dump with its Pilot's", pairMB)
	b.report.add(table{
		title: work, head: []string{"program", "time", "CPU", "peak memory"},
		note: "Both sides are as large. istioctl compares live proxies only.",
		rows: [][]string{{"kubectl-meshq", millis(median(ours, wall)), seconds(median(ours, cpu)), megabytes(median(ours, memory))}},
	})
	b.report.addGoal(work, "under 1 s", median(ours, wall).Seconds() < 1, "%s", millis(median(ours, wall)))
	return nil
}
