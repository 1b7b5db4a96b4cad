// Command bench compares the plugin with similar programs in one run on one machine, and writes the results as tables.
// Every figure is measured: it is the median of several fresh processes, and the programs take turns.
//
// The command starts programs, measures them, and lists the questions to ask. How fast the plugin has to be is stated
// only in the column "must be".
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"
	"time"
)

type options struct {
	plugin             string
	fleet, transfer    string
	pair               string
	mesh, meshRoot     string
	jq, gojq, istioctl string
	jaq                string
	captures, perf     string
	dumpMB, fleetMB    float64
	growthMB           float64
	proxies, status    int
	growth             string
	latency            time.Duration
	runs, fleetRuns    int
	benchtime          string
	only               string
	out, machine, date string
	patience           time.Duration
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parseFlags() *options {
	o := &options{}
	flag.StringVar(&o.plugin, "plugin", "bin/kubectl-meshq", "the program that is measured")
	flag.StringVar(&o.fleet, "fleet", "", "the simulator (go build ./test/fleet/cmd/fleet)")
	flag.StringVar(&o.transfer, "transfer", "", "the one who asks and reads nothing (go build ./test/fleet/cmd/transfer)")
	flag.StringVar(&o.pair, "pair", "", "what writes a proxy with what its Pilot would send (go build ./test/fleet/cmd/pair)")
	flag.StringVar(&o.jq, "jq", "jq", "jq, where it is installed")
	flag.StringVar(&o.gojq, "gojq", "gojq", "gojq, where it is installed")
	flag.StringVar(&o.jaq, "jaq", "jaq", "jaq, where it is installed")
	flag.StringVar(&o.istioctl, "istioctl", "istioctl", "istioctl, where it is installed")
	flag.StringVar(&o.mesh, "mesh", "", "what brings a real mesh up (go build ./cmd/mesh, of test/e2e)")
	flag.StringVar(&o.meshRoot, "mesh-root", filepath.Join("test", "e2e"), "the folder of that")
	flag.StringVar(&o.captures, "captures", filepath.Join("sources", "testdata", "stale"), "the recorded mesh that is repeated")
	flag.StringVar(&o.perf, "perf", filepath.Join("..", "shared", "perf", "sidecar-1000-services.config_dump.json.gz"), "a real dump, used where it is there")
	flag.Float64Var(&o.dumpMB, "dump", 29, "MB of the simulated dump that programs read from a file")
	flag.IntVar(&o.proxies, "proxies", 1000, "how many proxies the fleet has")
	flag.Float64Var(&o.fleetMB, "fleet-dump", 5, "MB of the dumps of that fleet")
	flag.DurationVar(&o.latency, "latency", 20*time.Millisecond, "of that fleet's Envoys and istiods")
	flag.IntVar(&o.status, "status", 2000, "how many proxies there are for the status table, on 3 istiods")
	flag.StringVar(&o.growth, "growth", "500,1000,2000,4000", "how many proxies there are in the fleets that grow")
	flag.Float64Var(&o.growthMB, "growth-dump", 0.3, "MB of the dumps of those")
	flag.IntVar(&o.runs, "runs", 5, "how often each program reads a file")
	flag.IntVar(&o.fleetRuns, "fleet-runs", 3, "how often a fleet is asked")
	flag.StringVar(&o.benchtime, "benchtime", "50ms", "of each Go benchmark, in three rounds; 0: none")
	flag.StringVar(&o.only, "only", ".", "which parts: files, fleet, status, growth, check, limits, whatif, envoy, machine, decoder, shapes (a regular expression)")
	flag.StringVar(&o.out, "out", "", "where the tables are written; empty: standard output")
	flag.StringVar(&o.machine, "machine", "", "what the machine is, in your words")
	flag.StringVar(&o.date, "date", time.Now().Format(time.DateOnly), "when this was")
	flag.DurationVar(&o.patience, "patience", 2*time.Minute, "how long one process may take")
	flag.Parse()
	return o
}

// A bench is one run of all measurements.
type bench struct {
	*options
	folder string // temporary, for dumps
	report report

	namesRate float64 // bytes per second that one core decodes to read cluster names; 0 means not measured
}

func run(ctx context.Context) (err error) {
	b := &bench{options: parseFlags()}
	only, err := regexp.Compile(b.only)
	if err != nil {
		return err
	}
	if b.plugin, err = filepath.Abs(b.plugin); err != nil {
		return err
	}
	if b.folder, err = os.MkdirTemp("", "bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.folder)
	for _, part := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"files", b.files}, {"decoder", b.decoder}, {"fleet", b.fleetParts}, {"status", b.statusPart}, {"growth", b.growthPart}, {"check", b.checkPart}, {"limits", b.limitsPart}, {"whatif", b.whatIfPart}, {"envoy", b.envoyPart}, {"machine", b.machines}, {"shapes", b.shapesPart},
	} {
		if !only.MatchString(part.name) {
			continue
		}
		begun := time.Now()
		if err := part.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
		fmt.Fprintf(os.Stderr, "%s: %s\n", part.name, time.Since(begun).Round(time.Second))
	}
	if b.out == "" {
		return b.report.write(os.Stdout, b.options)
	}
	f, err := os.Create(b.out)
	if err != nil {
		return err
	}
	defer f.Close()
	return b.report.write(f, b.options)
}
