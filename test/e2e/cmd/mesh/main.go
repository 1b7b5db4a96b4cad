// Command mesh builds and brings up the mesh that the tests run on, and keeps
// it up until it is interrupted.
//
//	go run ./cmd/mesh build              build what a mesh is made of
//	go run ./cmd/mesh istioctl           build istioctl alone, and print where it is
//	go run ./cmd/mesh up [--control A]   bring it up; faults are made over HTTP
//	go run ./cmd/mesh cost --plugin P    what P's questions cost an Envoy of 1,000 services, as JSON
//
// It prints the kubeconfig files and the proxies' own ports, and where faults
// are asked for: GET / tells how things are, and POST does it:
//
//	/stall/WORKLOAD    the proxy is STALE, and answers
//	/hang/WORKLOAD     its Envoy accepts and never answers
//	/reject/WORKLOAD   it refuses an update of its listeners
//	/kill/WORKLOAD     its Envoy ends, the pod stays
//	/delete/WORKLOAD   its pod goes, the Envoy stays
//	/withhold          the gateway's SDS is NOT SENT
//	/split             a second istiod takes every other proxy; /split/canary: of another revision
//	/istiod/stop       and /istiod/start
//	/apiserver/stop    and /apiserver/start
//	/mend              all of it undone
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/meshq/kubectl-meshq/test/e2e/mesh"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run() error {
	flags := flag.NewFlagSet("mesh", flag.ExitOnError)
	address := flags.String("control", "127.0.0.1:0", "where faults are asked for")
	root := flags.String("root", ".", "the folder of this module, test/e2e")
	plugin := flags.String("plugin", "../../bin/kubectl-meshq", "the plugin that asks")
	if len(os.Args) < 2 || !slices.Contains([]string{"up", "build", "istioctl", "cost"}, os.Args[1]) {
		return fmt.Errorf("mesh: up, build, istioctl or cost?")
	}
	if err := flags.Parse(os.Args[2:]); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	dir, err := filepath.Abs(*root)
	if err != nil {
		return err
	}
	if os.Args[1] == "istioctl" {
		path, err := mesh.FindIstioctl(ctx, dir, os.Stderr)
		if err == nil {
			fmt.Println(path)
		}
		return err
	}
	programs, err := mesh.FindPrograms(ctx, dir, os.Stderr)
	if err != nil || os.Args[1] == "build" {
		return err
	}
	m, err := mesh.Up(ctx, mesh.Options{Programs: programs, Log: os.Stderr})
	if err != nil {
		return err
	}
	defer m.Down()
	if os.Args[1] == "cost" {
		return costs(ctx, m, *plugin, os.Stdout)
	}
	role, err := os.ReadFile(filepath.Join(dir, "../../docs/rbac/kubectl-meshq.yaml"))
	if err != nil {
		return err
	}
	reader, err := m.Account(ctx, "meshq", string(role))
	if err != nil {
		return err
	}
	return serve(ctx, m, reader, *address)
}

// serve takes faults until ctx ends.
func serve(ctx context.Context, m *mesh.Mesh, reader, address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	c := &control{mesh: m, reader: reader, address: l.Addr().String()}
	s := &http.Server{Handler: c.handler()}
	go s.Serve(l)
	defer s.Close()
	c.describe(os.Stdout)
	<-ctx.Done()
	return nil
}
