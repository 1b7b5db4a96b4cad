package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/meshq/kubectl-meshq/test/e2e/mesh"
)

// A control is an HTTP handler that breaks and repairs the mesh, one request at a time.
type control struct {
	mu      sync.Mutex
	mesh    *mesh.Mesh
	reader  string // the kubeconfig of the account with the fewest rights
	address string
}

func (c *control) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.describe(w)
	})
	m := c.mesh
	for name, do := range map[string]func(context.Context, *mesh.Proxy) error{
		"stall":  m.Stall,
		"hang":   m.Hang,
		"reject": m.Reject,
		"delete": m.Delete,
		"kill":   func(_ context.Context, p *mesh.Proxy) error { m.Kill(p); return nil },
	} {
		mux.HandleFunc("POST /"+name+"/{workload}", c.proxy(do))
	}
	for name, do := range map[string]func(context.Context) error{
		"withhold":        m.Withhold,
		"split":           func(ctx context.Context) error { return m.Split(ctx, "default") },
		"split/canary":    func(ctx context.Context) error { return m.Split(ctx, "canary") },
		"repair":          m.Repair,
		"istiod/stop":     func(context.Context) error { m.StopIstiod(m.Istiods[0]); return nil },
		"istiod/start":    func(ctx context.Context) error { return m.StartIstiod(ctx, m.Istiods[0]) },
		"apiserver/stop":  func(context.Context) error { m.StopAPIServer(); return nil },
		"apiserver/start": m.StartAPIServer,
	} {
		mux.HandleFunc("POST /"+name, c.fault(do))
	}
	return mux
}

func (c *control) proxy(do func(context.Context, *mesh.Proxy) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p, err := c.mesh.Find(r.PathValue("workload"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		c.fault(func(ctx context.Context) error { return do(ctx, p) })(w, r)
	}
}

func (c *control) fault(do func(context.Context) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		// Don't use the request's context: a fault that has begun is completed.
		if err := do(context.WithoutCancel(r.Context())); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprintln(w, "done")
	}
}

func (c *control) describe(w io.Writer) {
	m := c.mesh
	fmt.Fprintf(w, "administrator  KUBECONFIG=%s\n", m.Kubeconfig)
	fmt.Fprintf(w, "least rights   KUBECONFIG=%s\n", c.reader)
	fmt.Fprintf(w, "control        http://%s\n", c.address)
	fmt.Fprintf(w, "logs           %s/logs\n", m.Dir)
	for _, i := range m.Istiods {
		fmt.Fprintf(w, "istiod         %-50s %s  running: %v\n", i.Pod+"."+i.Namespace, i.URL(), i.Running())
	}
	for _, p := range m.Proxies {
		fmt.Fprintf(w, "proxy          %-50s %s  running: %v\n", p.ID(), p.URL(), p.Running())
	}
}
