package live

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"

	"github.com/meshq/kubectl-meshq/sources/transport"
)

// A Dialer leads to the pods of a cluster. Errors of the API server can be
// told by apierrors.IsForbidden and the like. A dialer that also has
//
//	Drop(namespace, pod string)
//
// is told of pods that were reached and kept silent: what leads to them may be
// dead itself.
type Dialer interface {
	// DialContext gives a connection to a port of a pod. How long that may
	// take is the dialer's to say.
	DialContext(ctx context.Context, namespace, pod string, port int) (net.Conn, error)

	// Release tells that a pod's connections are closed and no other is
	// wanted for now.
	Release(namespace, pod string)

	// Exec runs a command in a container and writes its output to out.
	Exec(ctx context.Context, namespace, pod, container string, command []string, out io.Writer) error

	// Close ends all that leads to pods.
	Close() error
}

// An asker asks questions over connections, and keeps the answers.
type asker struct {
	limits
	counters
	spools

	mu    sync.Mutex
	lines map[string]*line
}

// An address is whom a question goes to.
type address struct {
	id      string // that its requests queue under
	port    int
	several bool // may be asked several things at once
	dial    func(context.Context) (net.Conn, error)
	release func()
	drop    func()
}

func newAsker(l limits, tempDir string, quota *transport.Quota) *asker {
	return &asker{limits: l, spools: newSpools(tempDir, quota), lines: map[string]*line{}}
}

// line gives the queue to an address.
func (a *asker) line(id string) *line {
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.lines[id]
	if l == nil {
		l = newLine()
		a.lines[id] = l
	}
	return l
}

// inTurn waits for the turn of a request to the address and does it. Who has
// waited for one that was not answered by a byte isn't answered either, and
// nobody is after one that was answered too slowly: a proxy that hangs costs one
// deadline. When no request to the address is left,
// it is released.
func (a *asker) inTurn(ctx context.Context, to address, do func(*line) error) error {
	l := a.line(to.id)
	since := l.enter()
	defer l.leave(to.release)
	turns := l.one
	if to.several {
		turns = l.few
	}
	select {
	case turns <- struct{}{}:
		defer func() { <-turns }()
	case <-ctx.Done():
		return ended(ctx)
	}
	if err := ended(ctx); err != nil { // both were ready
		return err
	}
	if err := l.hushed(since); err != nil {
		return err
	}
	err := do(l)
	if slow(err) {
		l.giveUp(err)
	}
	if mute(err) {
		l.hush(err)
		if !to.several || l.alone() { // else it would end what others are being told
			to.drop()
		}
	}
	return err
}

// forget gives back the places of all bodies, and forgives the slow.
func (a *asker) forget() {
	a.spools.forget()
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, l := range a.lines {
		l.forgive()
	}
}

// mute tells the error of somebody who doesn't say a word.
func mute(err error) bool {
	var silent *SilentError
	return errors.As(err, &silent) && !silent.Begun
}

// slow tells the error of somebody who says one word after the other.
func slow(err error) bool {
	var silent *SilentError
	return errors.As(err, &silent) && silent.Slow
}

// ask asks over a connection: one that is there, or a new one. A kept
// connection may have been closed by the other side, which shows when it is
// used; then a new one is asked.
func (a *asker) ask(ctx context.Context, to address, q *question, l *line) (*transport.Body, error) {
	if c := l.kept(to.port); c != nil {
		body, err := a.over(ctx, c, to, q, l)
		if !errors.Is(err, errStale) {
			return body, err
		}
	}
	nc, err := to.dial(ctx)
	if err != nil {
		return nil, err
	}
	return a.over(ctx, newConn(nc), to, q, l)
}

// over asks over a connection, which is kept for those who wait or closed.
func (a *asker) over(ctx context.Context, c *conn, to address, q *question, l *line) (*transport.Body, error) {
	body, again, err := a.exchange(ctx, c, q, l.alone())
	if err == nil && again {
		l.keep(to.port, c)
		return body, nil
	}
	c.Close()
	if err != nil && ctx.Err() == nil {
		err = unreached(to.port, err)
	}
	return body, err
}
