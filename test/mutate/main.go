// Command mutate changes one expression or statement of the product at a time, runs the tests of the changed package,
// and reports the changes that no test noticed. It changes no file: the go command reads the changed source through its
// -overlay flag.
//
//	go run ./test/mutate -n 200 -seed 1 ./query/routing ./sources/store
//
// The tests to run can be given after "=", as a list of packages separated by commas:
// ./sources/mesh=./sources,./sources/live. Without it, the tests of the changed package run. Changes that don't compile
// are not counted. A test that runs into its timeout has noticed the change. The file argued.txt lists changes that no
// test can notice, each with the reason; these are counted separately.
package main

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

//go:embed argued.txt
var arguedText string

type options struct {
	n        int
	seed     uint64
	parallel int
	timeout  time.Duration
	least    float64
}

func main() {
	var o options
	flag.IntVar(&o.n, "n", 200, "how many changes to try")
	flag.Uint64Var(&o.seed, "seed", 1, "another number tries other changes")
	flag.IntVar(&o.parallel, "parallel", 2, "how many to try at a time")
	flag.DurationVar(&o.timeout, "timeout", 3*time.Minute, "how long the tests of one package may take")
	flag.Float64Var(&o.least, "least", 0.9, "the share of changes that must be noticed")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

// A target is a package to change, and the packages whose tests should notice the change.
type target struct {
	dir   string
	tests []string
}

func parseTarget(arg string) target {
	dir, tests, ok := strings.Cut(arg, "=")
	if !ok {
		tests = dir
	}
	return target{dir, strings.Split(tests, ",")}
}

func run(ctx context.Context, o options, args []string) error {
	var mutants []mutant
	for _, arg := range args {
		found, err := mutantsOf(parseTarget(arg))
		if err != nil {
			return err
		}
		mutants = append(mutants, found...)
	}
	random := rand.New(rand.NewPCG(o.seed, 0))
	random.Shuffle(len(mutants), func(i, j int) { mutants[i], mutants[j] = mutants[j], mutants[i] })
	results, err := tryAll(ctx, o, mutants)
	if err != nil {
		return err
	}
	return report(o, len(mutants), results)
}

// An outcome is the result of running the tests with a mutant.
type outcome int

const (
	noticed outcome = iota
	survived
	argued // survived, but argued.txt explains why no test can notice it
	refused
)

type result struct {
	mutant
	outcome
}

// tryAll tries mutants in order, until o.n of them compiled.
func tryAll(ctx context.Context, o options, mutants []mutant) ([]result, error) {
	var (
		mu      sync.Mutex
		next    int
		counted int
		results []result
		failed  error
		workers sync.WaitGroup
	)
	for range o.parallel {
		workers.Go(func() {
			for {
				mu.Lock()
				if failed != nil || next >= len(mutants) || counted >= o.n {
					mu.Unlock()
					return
				}
				m := mutants[next]
				next++
				counted++
				mu.Unlock()
				got, err := try(ctx, o, m)
				mu.Lock()
				failed = cmp.Or(failed, err)
				if got == refused {
					counted--
				} else if err == nil {
					results = append(results, result{m, got})
					if got == survived {
						fmt.Printf("%d: survived: %s\n", len(results), m)
					}
				}
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	return results, failed
}

// try runs the tests with one mutant.
func try(ctx context.Context, o options, m mutant) (outcome, error) {
	dir, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return refused, err
	}
	defer os.RemoveAll(dir)
	changed := filepath.Join(dir, "changed.go")
	path, err := filepath.Abs(m.path)
	if err != nil {
		return refused, err
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {path: changed}})
	if err != nil {
		return refused, err
	}
	overlayPath := filepath.Join(dir, "overlay.json")
	if err := errors.Join(os.WriteFile(changed, m.source(), 0o600), os.WriteFile(overlayPath, overlay, 0o600)); err != nil {
		return refused, err
	}
	if out, err := exec.CommandContext(ctx, "go", "build", "-overlay", overlayPath, m.dir).CombinedOutput(); err != nil {
		if ctx.Err() != nil || !bytes.Contains(out, []byte(".go:")) {
			return refused, fmt.Errorf("go build: %w: %s", err, out)
		}
		return refused, nil
	}
	args := slices.Concat([]string{"test", "-overlay", overlayPath, "-count=1", "-failfast", "-vet=off", "-timeout", o.timeout.String()}, m.tests)
	err = exec.CommandContext(ctx, "go", args...).Run()
	switch exit := (*exec.ExitError)(nil); {
	case ctx.Err() != nil:
		return refused, ctx.Err()
	case err == nil && strings.Contains(arguedText, m.key()+"\n"):
		return argued, nil
	case err == nil:
		return survived, nil
	case errors.As(err, &exit):
		return noticed, nil
	}
	return refused, err
}

func report(o options, sites int, results []result) error {
	counts := map[outcome]int{}
	byDir := map[string]map[outcome]int{}
	for _, r := range results {
		counts[r.outcome]++
		if byDir[r.dir] == nil {
			byDir[r.dir] = map[outcome]int{}
		}
		byDir[r.dir][r.outcome]++
	}
	dirs := []string{}
	for dir := range byDir {
		dirs = append(dirs, dir)
	}
	slices.Sort(dirs)
	for _, dir := range dirs {
		fmt.Printf("%-24s noticed %d, survived %d, argued %d\n", dir, byDir[dir][noticed], byDir[dir][survived], byDir[dir][argued])
	}
	share := float64(counts[noticed]+counts[argued]) / float64(max(len(results), 1))
	fmt.Printf("%d of %d changes (of %d that could be tried; seed %d) were noticed, %d are argued: %.0f %%\n", counts[noticed], len(results), sites, o.seed, counts[argued], 100*share)
	if share < o.least {
		return fmt.Errorf("less than %.0f %% were noticed", 100*o.least)
	}
	return nil
}
