package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/meshq/kubectl-meshq/test/fleet"
	"github.com/meshq/kubectl-meshq/test/istiod"
)

// whatIfPart measures a prediction over a recorded mesh of 1,000 proxies in 100 Deployments, and one over the demo. It
// needs an istiod, which "make e2e" builds; without one, there are no rows.
func (b *bench) whatIfPart(ctx context.Context) error {
	binary := istiod.Path()
	if binary == "" {
		fmt.Fprintln(os.Stderr, "whatif: no istiod binary: run make e2e once")
		return nil
	}
	own := filepath.Join(b.folder, "pilot-discovery") // a path of its own, by which its processes are found
	if err := os.Symlink(binary, own); err != nil {
		return err
	}
	mesh := filepath.Join(b.folder, "recorded")
	const deployments, replicas = 100, 10
	if err := fleet.WriteRecorded(mesh, deployments, replicas); err != nil {
		return err
	}
	change := filepath.Join(b.folder, "change.yaml")
	text := "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: app-000, namespace: team-0}\n" +
		"spec: {hosts: [app-000], http: [{timeout: 9s, route: [{destination: {host: app-000, subset: v1}}]}]}\n"
	if err := os.WriteFile(change, []byte(text), 0o600); err != nil {
		return err
	}
	argv := []string{b.plugin, "whatif", "-q", "-f", change, "--istiod", own}
	for _, v := range istiod.Env {
		argv = append(argv, "--env", v)
	}
	var rows [][]string
	for _, c := range []struct {
		name, snapshot string
		proxies        int
		most           time.Duration
		mostMB         int64
	}{{"the demo", "demo", 7, 3 * time.Second, 0}, {"1000 proxies of 100 Deployments", mesh, deployments * replicas, 15 * time.Second, 500}} {
		var walls []time.Duration
		var memory int64
		for range b.fleetRuns {
			watching, stop := context.WithCancel(ctx)
			peak := make(chan int64, 1)
			go func() { peak <- peakOf(watching, own) }()
			s, err := b.start(ctx, whatIfOver(argv, c.snapshot), false)
			stop()
			memory = max(memory, <-peak)
			if err != nil {
				return err
			}
			walls = append(walls, s.wall)
		}
		wall := medianOf(walls)
		rows = append(rows, []string{c.name, fmt.Sprint(c.proxies), millis(wall), fmt.Sprintf("%d MB", memory)})
		b.report.addGoal("whatif over "+c.name, fmt.Sprintf("≤ %s", c.most), wall <= c.most, "%s", millis(wall))
		if c.mostMB > 0 {
			b.report.addGoal("whatif over "+c.name, fmt.Sprintf("peak memory of both istiods ≤ %d MB", c.mostMB), memory <= c.mostMB, "%d MB", memory)
		}
	}
	b.report.add(table{title: "whatif: one VirtualService, predicted by two istiods", head: []string{"mesh", "proxies", "wall", "both istiods"}, rows: rows})
	return nil
}

// whatIfOver is a prediction over a snapshot. A recorded mesh without what istiod would send is unverified, exit code 6.
func whatIfOver(argv []string, snapshot string) program {
	return program{name: "whatif", argv: append(append([]string{}, argv...), "--snapshot", snapshot), code: 6}
}

func medianOf(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

// peakOf returns the sum of the largest resident memory, in MB, of all processes that ran the program at path while ctx
// lasted.
func peakOf(ctx context.Context, path string) (sum int64) {
	peaks := map[string]int64{}
	for ctx.Err() == nil {
		all, _ := filepath.Glob("/proc/[0-9]*/cmdline") // the pattern is valid
		for _, f := range all {
			text, err := os.ReadFile(f)
			if err != nil || !strings.HasPrefix(string(text), path+"\x00") {
				continue
			}
			status, err := os.ReadFile(filepath.Join(filepath.Dir(f), "status"))
			if err != nil {
				continue
			}
			for line := range strings.Lines(string(status)) {
				if words := strings.Fields(line); len(words) > 1 && words[0] == "VmHWM:" {
					kB, _ := strconv.ParseInt(words[1], 10, 64)
					peaks[f] = max(peaks[f], kB>>10)
				}
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	for _, mb := range peaks {
		sum += mb
	}
	return sum
}
