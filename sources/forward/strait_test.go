package forward

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A strait is a TCP proxy that can stop forwarding data.
type strait struct {
	net.Listener
	to             string
	frozen, thawed chan struct{}
	work           sync.WaitGroup
}

func newStrait(t *testing.T, to string) *strait {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &strait{Listener: l, to: to, frozen: make(chan struct{}), thawed: make(chan struct{})}
	s.work.Go(s.serve)
	t.Cleanup(func() {
		l.Close()
		close(s.thawed)
		s.work.Wait()
	})
	return s
}

func (s *strait) serve() {
	for {
		near, err := s.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", s.to)
		if err != nil {
			near.Close()
			continue
		}
		s.work.Go(func() { s.pass(far, near) })
		s.work.Go(func() { s.pass(near, far) })
	}
}

func (s *strait) pass(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	for b := make([]byte, 32<<10); ; {
		n, err := from.Read(b)
		select {
		case <-s.frozen:
			<-s.thawed
			return
		default:
		}
		if err != nil {
			return
		}
		if _, err := to.Write(b[:n]); err != nil {
			return
		}
	}
}

// TestFrozenServer uses a server that has stopped reading, so that a write to
// it is blocked. Neither closing a connection nor closing the pool may wait for
// it.
func TestFrozenServer(t *testing.T) {
	ways(t, func(t *testing.T, c *cluster, way string) {
		sink, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer sink.Close()
		go func() {
			for {
				conn, err := sink.Accept()
				if err != nil {
					return
				}
				go io.Copy(io.Discard, conn)
			}
		}()
		c.leads("9000", sink.Addr().String())
		s := newStrait(t, strings.TrimPrefix(c.URL, "https://"))
		cfg := c.config()
		cfg.Host = "https://" + s.Addr().String()
		p, err := New(cfg, Options{Timeout: func(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, min(d, 5*time.Second)/10)
		}})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		var conns []net.Conn
		for range 2 {
			conn, err := p.DialContext(within(t), "shop", "a", 9000)
			if err != nil {
				t.Fatal(err)
			}
			conns = append(conns, conn)
		}
		var written atomic.Int64
		failed := make(chan error, 1)
		go func() {
			for b := make([]byte, frame); ; written.Add(1) {
				if written.Load() == 10 {
					close(s.frozen)
				}
				if _, err := conns[0].Write(b); err != nil {
					failed <- err
					return
				}
			}
		}()
		<-s.frozen
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for before := int64(-1); written.Load() != before; <-tick.C {
			before = written.Load()
		}
		conns[1].Close()
		conns[0].Close()
		p.Drop("shop", "a")
		if err := <-failed; !errors.Is(err, LostError{}) && err != net.ErrClosed {
			t.Errorf("the stuck write: %v", err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		for _, stack := range left(t) {
			t.Errorf("left after Close:\n%s", stack)
		}
	})
}
