// Command mesh builds and starts the mesh that the end-to-end tests use, and keeps it running until it is interrupted.
//
//	go run ./cmd/mesh build              build the programs that a mesh consists of
//	go run ./cmd/mesh istioctl           build istioctl alone, and print its path
//	go run ./cmd/mesh up [--control A]   start the mesh, and an HTTP server that can break it
//	go run ./cmd/mesh cost --plugin P    print as JSON how much work the requests of plugin P cause an Envoy with 1,000 services
//
// It prints the paths of the kubeconfig files, the proxies' admin ports, and the URL of the HTTP server. GET / returns
// the state of the mesh. POST breaks a part of the mesh or repairs it:
//
//	/stall/WORKLOAD    the proxy becomes STALE, and still answers
//	/hang/WORKLOAD     its Envoy accepts connections and never answers
//	/reject/WORKLOAD   its Envoy rejects an update of its listeners
//	/kill/WORKLOAD     its Envoy is killed, the pod remains
//	/delete/WORKLOAD   its pod is deleted, the Envoy remains
//	/withhold          the gateway's SDS becomes NOT SENT
//	/split             a second istiod serves every second proxy; /split/canary: with another revision
//	/istiod/stop       istiod is stopped; /istiod/start starts it again
//	/apiserver/stop    the API server is stopped; /apiserver/start starts it again
//	/repair            everything is repaired
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

// serve runs the HTTP server with which a client breaks and repairs the mesh, until ctx is done.
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
