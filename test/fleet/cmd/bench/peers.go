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
	samples, err := b.turns(ctx, b.runs, all, nil)
	if err != nil {
		return err
	}
	work := "the table of all clusters of " + d.what
	b.report.add(beside(work, samples))
	if theirs := samples["istioctl"]; theirs != nil {
		ours := samples["kubectl-meshq"]
		n := times(middle(theirs, wall), middle(ours, wall))
		b.report.must(work, "≥ 10× faster than istioctl", n >= 10, "%.1f× (of CPU %.1f×)", n, middle(theirs, cpu)/middle(ours, cpu))
	}
	return nil
}

// beside returns a table that compares two programs which did the same work.
func beside(title string, samples map[string][]sample) table {
	t := table{title: title, head: []string{"program", "time", "CPU", "peak memory", "times our time", "times our CPU"}}
	ours := samples["kubectl-meshq"]
	for _, name := range []string{"kubectl-meshq", "istioctl"} {
		s := samples[name]
		if s == nil {
			t.rows = append(t.rows, []string{name, "not installed", "", "", "", ""})
			continue
		}
		t.rows = append(t.rows, []string{
			name, millis(middle(s, wall)), seconds(middle(s, cpu)), megabytes(middle(s, memory)),
			fmt.Sprintf("%.1f", times(middle(s, wall), middle(ours, wall))), fmt.Sprintf("%.1f", middle(s, cpu)/middle(ours, cpu)),
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
	samples, err := b.turns(ctx, b.runs, []program{{name: "kubectl-meshq", code: 1, argv: []string{b.plugin, "diff", "reviews-v2", "--snapshot", folder}}}, nil)
	if err != nil {
		return err
	}
	ours := samples["kubectl-meshq"]
	work := fmt.Sprintf("diff of a replicated %.1f MB dump with its Pilot's", pairMB)
	b.report.add(table{
		title: work, head: []string{"program", "time", "CPU", "peak memory"},
		note: "Both sides are as large. istioctl compares live proxies only.",
		rows: [][]string{{"kubectl-meshq", millis(middle(ours, wall)), seconds(middle(ours, cpu)), megabytes(middle(ours, memory))}},
	})
	b.report.must(work, "under 1 s", middle(ours, wall).Seconds() < 1, "%s", millis(middle(ours, wall)))
	return nil
}
