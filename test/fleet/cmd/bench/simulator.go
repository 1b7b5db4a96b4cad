package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/meshq/kubectl-meshq/test/fleet/ledger"
)

// A mesh describes the fleet to simulate.
type mesh struct {
	proxies, istiods, pods, stale, hung int
	dumpMB                              float64
	latency                             time.Duration
	direct                              bool // a port for each Envoy, without an API server
}

// A proxy is an entry of the fleet's list of proxies.
type proxy struct{ Name, Namespace, Trouble string }

// A simulator is a fleet in a process of its own.
type simulator struct {
	Kubeconfig string
	Control    string
	Envoys     []string // the addresses, if there is no API server

	cmd  *exec.Cmd
	hold io.Closer // the fleet serves until this is closed
}

// simulate starts a fleet. The caller must close it.
func (b *bench) simulate(ctx context.Context, o mesh) (*simulator, error) {
	if b.fleet == "" || b.transfer == "" {
		return nil, errors.New("no simulator was named (-fleet, -transfer)")
	}
	cmd := exec.CommandContext(ctx, b.fleet, "--json", "--until-eof", "--for", "30m", "--captures", b.captures,
		"--proxies", strconv.Itoa(o.proxies), "--istiods", strconv.Itoa(o.istiods), "--pods", strconv.Itoa(o.pods),
		"--dump", fmt.Sprint(o.dumpMB), "--latency", o.latency.String(), "--stale", strconv.Itoa(o.stale), "--hung", strconv.Itoa(o.hung), "--direct="+strconv.FormatBool(o.direct))
	cmd.Stderr = os.Stderr
	cmd.WaitDelay = 5 * time.Second
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &simulator{cmd: cmd, hold: in}
	if err := json.NewDecoder(out).Decode(s); err != nil {
		return nil, errors.Join(fmt.Errorf("the simulator: %w", err), s.Close())
	}
	return s, nil
}

// Close stops the fleet.
func (s *simulator) Close() error {
	s.hold.Close()
	return s.cmd.Wait()
}

func (s *simulator) count(ctx context.Context) (n ledger.Count, err error) {
	return n, s.control(ctx, http.MethodGet, "/counters", &n)
}

func (s *simulator) reset(ctx context.Context) error {
	return s.control(ctx, http.MethodPost, "/counters", nil)
}

func (s *simulator) list(ctx context.Context) (all []proxy, err error) {
	return all, s.control(ctx, http.MethodGet, "/proxies", &all)
}

func (s *simulator) control(ctx context.Context, method, path string, v any) error {
	req, err := http.NewRequestWithContext(ctx, method, s.Control+path, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if v == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(v)
}

// A fleetRun is one run of a program against a fleet, with the counts of the fleet.
type fleetRun struct {
	sample
	ledger.Count
	served float64 // CPU seconds that the fleet used for the run
}

// after returns how long the program kept running after it had received the last answer.
func (a fleetRun) after() time.Duration {
	return max(0, a.ended.Sub(time.Unix(0, a.LastAnswer)))
}

// ask runs each program against a fleet several times, in turns.
func (b *bench) ask(ctx context.Context, s *simulator, runs int, all []program) (map[string][]fleetRun, error) {
	out := map[string][]fleetRun{}
	for range runs {
		for _, p := range all {
			if err := s.reset(ctx); err != nil {
				return nil, err
			}
			before, err := s.count(ctx)
			if err != nil {
				return nil, err
			}
			one, err := b.start(ctx, p, true)
			if err != nil {
				return nil, err
			}
			n, err := s.count(ctx)
			if err != nil {
				return nil, err
			}
			out[p.name] = append(out[p.name], fleetRun{one, n, n.Spent.CPU - before.Spent.CPU})
		}
	}
	return out, nil
}

// query returns the plugin's command line for a query about a fleet.
func (b *bench) query(s *simulator, name string, words ...string) program {
	return program{name: name, argv: append([]string{b.plugin, "--kubeconfig", s.Kubeconfig}, words...)}
}
