// Command fleet serves a simulated mesh until it is interrupted, either behind an API server with a kubeconfig, or on
// plain ports. It parses the flags; package fleet does everything else.
//
//	go run ./test/fleet/cmd/fleet --proxies 500 --dump 1 --stale 3 --hung 1
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/meshq/kubectl-meshq/test/fleet"
)

type flags struct {
	fleet.Options
	direct  bool
	eof     bool
	json    bool
	print   bool
	most    time.Duration
	dumpMiB float64
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "fleet:", err)
		os.Exit(1)
	}
}

func parse() *flags {
	f := &flags{}
	flag.StringVar(&f.Captures, "captures", filepath.Join("sources", "testdata", "stale"), "the recorded mesh that is repeated")
	flag.Uint64Var(&f.Seed, "seed", 1, "another number makes other names")
	flag.IntVar(&f.Proxies, "proxies", 100, "how many proxies")
	flag.IntVar(&f.Istiods, "istiods", 1, "how many istiods")
	flag.IntVar(&f.Pods, "pods", 0, "how many pods without a proxy")
	flag.Float64Var(&f.dumpMiB, "dump", 1, "how many MB a proxy's config dump has (10^6 bytes)")
	flag.DurationVar(&f.Latency, "latency", 0, "how long each answer of an Envoy or istiod takes")
	flag.Int64Var(&f.Rate, "rate", 0, "how many bytes a second an Envoy writes; 0: as fast as it goes (a real one: 15000000)")
	flag.IntVar(&f.Stale, "stale", 0, "how many proxies are STALE")
	flag.IntVar(&f.Hung, "hung", 0, "how many never answer")
	flag.IntVar(&f.Refused, "refused", 0, "how many don't listen")
	flag.IntVar(&f.Cut, "cut", 0, "how many break off in the middle of an answer")
	flag.IntVar(&f.Busy, "busy", 0, "how many answer 503")
	flag.IntVar(&f.Slow, "slow", 0, "how many write 20 KB a second")
	flag.DurationVar(&f.APILatency, "api-latency", 0, "how long each answer of the API server takes")
	flag.Float64Var(&f.APIRate, "api-rate", 0, "how many requests a second the API server takes; it answers 429 to the others; 0: all")
	flag.IntVar(&f.RetryAfter, "retry-after", 0, "the seconds that a 429 says to wait; 0: it doesn't say")
	flag.BoolVar(&f.direct, "direct", false, "a port for each istiod and Envoy instead of an API server")
	flag.BoolVar(&f.json, "json", false, "say where it serves as JSON")
	flag.BoolVar(&f.print, "print", false, "serve nothing: print the config dump of the first proxy")
	flag.BoolVar(&f.eof, "until-eof", false, "end when standard input ends")
	flag.DurationVar(&f.most, "for", time.Hour, "end after so long")
	flag.Parse()
	f.Bytes = int64(f.dumpMiB * 1e6)
	return f
}

func run() (err error) {
	o := parse()
	f, err := fleet.New(o.Options)
	if err != nil {
		return err
	}
	if o.print {
		_, err := os.Stdout.Write(f.Dump(0, "include_eds"))
		return err
	}
	folder, err := os.MkdirTemp("", "fleet-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	serve := func() error { return f.Serve(folder) }
	if o.direct {
		serve = f.ServeDirect
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := errors.Join(serve(), f.ServeControl()); err != nil {
		return err
	}
	if err := printAddresses(f, o); err != nil {
		return err
	}
	wait(o)
	return nil
}

// printAddresses prints the addresses at which the fleet is reached.
func printAddresses(f *fleet.Fleet, o *flags) error {
	if o.json {
		return json.NewEncoder(os.Stdout).Encode(map[string]any{"kubeconfig": f.Kubeconfig, "pilots": f.Pilots, "envoys": f.Envoys, "control": f.Control})
	}
	if o.direct {
		for _, p := range f.Pilots {
			fmt.Println("--pilot", p)
		}
		for _, e := range f.Envoys {
			fmt.Println("--envoy", e)
		}
	} else {
		fmt.Printf("kubectl-meshq --kubeconfig %s\n", f.Kubeconfig)
	}
	_, err := fmt.Printf("counters: curl %s/counters\n", f.Control)
	return err
}

func wait(o *flags) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, o.most)
	defer cancel()
	if o.eof {
		go func() {
			defer cancel()
			_, _ = io.Copy(io.Discard, os.Stdin) // ends when the parent process closes the pipe or exits
		}()
	}
	<-ctx.Done()
}
