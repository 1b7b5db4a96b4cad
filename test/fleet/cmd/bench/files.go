package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// A dumpFile is a config dump in a file.
type dumpFile struct {
	what, path string
	minSpeedup float64 // the least speed-up over jq; 0 means no goal
	large      bool    // whether the goals for time and memory apply
}

// files measures programs that read config dumps from files.
func (b *bench) files(ctx context.Context) error {
	dumps, err := b.dumps(ctx)
	if err != nil {
		return err
	}
	for _, d := range dumps {
		for _, q := range questions() {
			if err := b.question(ctx, d, q); err != nil {
				return err
			}
		}
		if err := b.clusterTable(ctx, d); err != nil {
			return err
		}
	}
	return b.difference(ctx)
}

// dumps returns the dumps to measure: a simulated one, which another process writes, and the real one if it exists.
// This process reads none of them into its memory: see package ledger.
func (b *bench) dumps(ctx context.Context) (all []dumpFile, err error) {
	simulated, err := b.write("simulated.json", func(w io.Writer) error {
		cmd := exec.CommandContext(ctx, b.fleet, "--print", "--captures", b.captures, "--proxies", "1", "--dump", fmt.Sprint(b.dumpMB))
		cmd.Stdout, cmd.Stderr = w, os.Stderr
		return cmd.Run()
	})
	if err != nil {
		return nil, err
	}
	all = []dumpFile{{fmt.Sprintf("the simulated %.0f MB dump", float64(simulated.Size())/1e6), filepath.Join(b.folder, simulated.Name()), 10, true}}
	if simulated.Size() < 20e6 {
		all[0].minSpeedup, all[0].large = 0, false
	}
	f, err := os.Open(b.perf)
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	real, err := b.write("real.json", func(w io.Writer) error {
		z, err := gzip.NewReader(f)
		if err != nil {
			return err
		}
		_, err = io.Copy(w, z)
		return err
	})
	if err != nil {
		return nil, err
	}
	return append(all, dumpFile{fmt.Sprintf("a real %.1f MB dump", float64(real.Size())/1e6), filepath.Join(b.folder, real.Name()), 5, false}), nil
}

// write creates a file and fills it.
func (b *bench) write(name string, fill func(io.Writer) error) (fs.FileInfo, error) {
	f, err := os.Create(filepath.Join(b.folder, name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := fill(f); err != nil {
		return nil, err
	}
	return f.Stat()
}

// A question is asked to all programs, in the words of each.
type question struct {
	what     string
	ours     [][]string // arguments; the dump's path follows, where the last argument is a flag for it
	jq       []string
	istioctl []string
	normal   func([]byte) []byte
	whole    bool
}

func questions() []question {
	return []question{
		{
			what:     "cluster names",
			ours:     [][]string{{"-r", ".proxies[].clusters[].name", "--snapshot"}},
			jq:       []string{"-r", `.configs[] | (.static_clusters, .dynamic_active_clusters)[]? | .cluster.name`},
			istioctl: []string{"proxy-config", "clusters", "-f"},
			normal:   sortedLines,
		},
		{
			what:     "one named route configuration",
			ours:     [][]string{{"-o", "json", `.proxies[].route("8003") | .name, (.virtualHosts | length)`, "--snapshot"}},
			jq:       []string{`.configs[].dynamic_route_configs[]?.route_config | select(.name == "8003") | .name, (.virtual_hosts | length)`},
			istioctl: []string{"proxy-config", "routes", "--name", "8003", "-f"},
			normal:   scalars,
		},
		{
			what:  "the whole document out as JSON",
			ours:  [][]string{{"-o", "json", "--allow-partial", ".", "--snapshot"}, {".", "--input"}},
			jq:    []string{"."},
			whole: true,
		},
	}
}

// scalars normalizes output that consists of values, either as a stream or as one list.
func scalars(out []byte) []byte {
	var all []any
	if json.Unmarshal(out, &all) != nil {
		for dec := json.NewDecoder(bytes.NewReader(out)); ; {
			var v any
			if dec.Decode(&v) != nil {
				break
			}
			all = append(all, v)
		}
	}
	text, err := json.Marshal(all)
	if err != nil {
		return out
	}
	return text
}

func (b *bench) question(ctx context.Context, d dumpFile, q question) error {
	var all []program
	for i, words := range q.ours {
		name := "kubectl-meshq"
		if i > 0 {
			name += " --input"
		}
		all = append(all, program{name: name, argv: append(append([]string{b.plugin}, words...), d.path)})
	}
	jq, gojq, istioctl := installed(b.jq), installed(b.gojq), installed(b.istioctl)
	if jq != "" {
		all = append(all, program{name: "jq", argv: append(append([]string{jq}, q.jq...), d.path)})
	}
	if gojq != "" {
		all = append(all, program{name: "gojq", argv: append(append([]string{gojq}, q.jq...), d.path)})
	}
	if istioctl != "" && q.istioctl != nil {
		all = append(all, program{name: "istioctl", argv: append(append([]string{istioctl}, q.istioctl...), d.path)})
	}
	samples, err := b.runInTurns(ctx, b.runs, all, q.normal)
	if err != nil {
		return err
	}
	t := table{title: q.what + " of " + d.what, head: []string{"program", "time", "CPU", "peak memory", "times our time", "times our CPU"}}
	ours := samples["kubectl-meshq"]
	for _, name := range []string{"kubectl-meshq", "kubectl-meshq --input", "jq", "gojq", "istioctl"} {
		s := samples[name]
		switch {
		case s != nil:
			t.rows = append(t.rows, []string{name, millis(median(s, wall)), seconds(median(s, cpu)), megabytes(median(s, memory)), fmt.Sprintf("%.1f", times(median(s, wall), median(ours, wall))), fmt.Sprintf("%.1f", median(s, cpu)/median(ours, cpu))})
		case name != "kubectl-meshq --input" && (name != "istioctl" || q.istioctl != nil):
			t.rows = append(t.rows, []string{name, "not installed", "", "", "", ""})
		}
	}
	b.report.add(t)
	if d.minSpeedup > 0 {
		b.fileFloors(d, q, samples)
	}
	return nil
}

func (b *bench) fileFloors(d dumpFile, q question, samples map[string][]sample) {
	work := q.what + ", " + d.what
	ours := samples["kubectl-meshq"]
	faster := func(peer string, least float64) {
		if s := samples[peer]; s != nil {
			n := times(median(s, wall), median(ours, wall))
			b.report.addGoal(work, fmt.Sprintf("≥ %g× faster than %s", least, peer), n >= least, "%.1f× (of CPU %.1f×)", n, median(s, cpu)/median(ours, cpu))
		}
	}
	if q.whole {
		faster("jq", 2)
		faster("gojq", 1)
		if s := samples["jq"]; s != nil {
			b.report.addGoal(work, "peak memory no more than jq's", median(ours, memory) <= median(s, memory), "%s, jq %s", megabytes(median(ours, memory)), megabytes(median(s, memory)))
		}
		return
	}
	faster("jq", d.minSpeedup)
	if !d.large {
		return
	}
	faster("gojq", 8)
	faster("istioctl", 20)
	b.report.addGoal(work, "peak memory ≤ 40 MB", median(ours, memory) <= 40e6, "%s", megabytes(median(ours, memory)))
}
