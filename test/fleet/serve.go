package fleet

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

// addresses hold the files and URLs at which a fleet can be reached once it serves.
type addresses struct {
	Kubeconfig string   // a file
	Pilots     []string // URLs of the istiods' debug ports
	Envoys     []string // URLs of the Envoys' admin ports
	Control    string   // the URL of the control port, which serves the counters

	work  sync.WaitGroup
	mu    sync.Mutex
	open  map[net.Conn]bool
	ends  []func() error
	ended bool
}

// Serve starts the API server, and writes a kubeconfig for it into a folder.
func (f *Fleet) Serve(folder string) error { return f.serveAPI(folder) }

// ServeDirect opens a port of its own for each istiod and each Envoy.
func (f *Fleet) ServeDirect() error {
	for _, i := range f.istiods {
		at, err := f.listen(&i.admin)
		if err != nil {
			return err
		}
		f.Pilots = append(f.Pilots, at)
	}
	for _, p := range f.proxies {
		at, err := f.listen(&p.admin)
		if err != nil {
			return err
		}
		f.Envoys = append(f.Envoys, at)
	}
	return nil
}

// listen opens a port that is served by an admin, and returns its URL.
func (f *Fleet) listen(a *admin) (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	at := "http://" + l.Addr().String()
	if a.trouble == Refused {
		return at, l.Close()
	}
	f.atEnd(l.Close)
	f.work.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if !f.hold(c) {
				return
			}
			f.work.Go(func() {
				defer f.drop(c)
				a.serve(c)
			})
		}
	})
	return at, nil
}

// hold registers a connection, so that Close closes it. It reports false if the fleet is closed already.
func (f *Fleet) hold(c net.Conn) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		c.Close()
		return false
	}
	if f.open == nil {
		f.open = map[net.Conn]bool{}
	}
	f.open[c] = true
	return true
}

func (f *Fleet) drop(c net.Conn) {
	c.Close()
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.open, c)
}

func (f *Fleet) atEnd(end func() error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ends = append(f.ends, end)
}

// serveHTTP serves a listener with a handler.
func (f *Fleet) serveHTTP(l net.Listener, h http.Handler, tls func(*http.Server) error) {
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ConnContext: func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, connKey{}, c)
	}}
	f.atEnd(s.Close)
	f.work.Go(func() {
		if tls == nil {
			tls = func(s *http.Server) error { return s.Serve(l) }
		}
		_ = tls(s) // returns when the fleet is closed
	})
}

// A connKey is the context key of a request's connection.
type connKey struct{}

// Close closes all listeners and connections.
func (f *Fleet) Close() error {
	f.mu.Lock()
	f.ended = true
	var all []error
	for _, end := range f.ends {
		all = append(all, end())
	}
	for c := range f.open {
		c.Close()
	}
	f.mu.Unlock()
	f.work.Wait()
	return errors.Join(all...)
}
