package live

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"

	"github.com/meshq/kubectl-meshq/sources/transport"
)

// A Dialer opens connections to the pods of a cluster. Its errors can be checked
// with apierrors.IsForbidden and the like. A dialer may also have the method
//
//	Drop(namespace, pod string)
//
// which is called for a pod that accepted a connection and didn't answer: the tunnel
// to the pod may be dead.
type Dialer interface {
	// DialContext opens a connection to a port of a pod. The dialer sets the
	// deadline for that.
	DialContext(ctx context.Context, namespace, pod string, port int) (net.Conn, error)

	// Release is called when a pod's connections are closed and no other is needed
	// for now.
	Release(namespace, pod string)

	// Exec runs a command in a container and writes its output to out.
	Exec(ctx context.Context, namespace, pod, container string, command []string, out io.Writer) error

	// Close closes all connections to pods.
	Close() error
}

// An asker sends questions over connections and keeps the answers.
type asker struct {
	limits
	counters
	spools

	mu     sync.Mutex
	queues map[string]*queue
}

// An address is the process that a question goes to.
type address struct {
	id      string // the key of the queue for its requests
	port    int
	several bool // the process accepts several questions at once
	dial    func(context.Context) (net.Conn, error)
	release func()
	drop    func()
}

func newAsker(l limits, tempDir string, quota *transport.Quota) *asker {
	return &asker{limits: l, spools: newSpools(tempDir, quota), queues: map[string]*queue{}}
}

// queue returns the queue of an address.
func (a *asker) queue(id string) *queue {
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.queues[id]
	if l == nil {
		l = newQueue()
		a.queues[id] = l
	}
	return l
}

// inTurn waits for its turn in the queue of the address and then calls do. So that a
// hanging proxy costs only one deadline, it returns an error without calling do in
// two cases: a request before it in the queue got no answer at all, or any request
// got its answer too slowly. When the queue becomes empty, the address is released.
func (a *asker) inTurn(ctx context.Context, to address, do func(*queue) error) error {
	l := a.queue(to.id)
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
	if err := ended(ctx); err != nil { // if both are ready, select may choose a turn although ctx has ended
		return err
	}
	if err := l.errorSince(since); err != nil {
		return err
	}
	err := do(l)
	if isSlow(err) {
		l.markSlow(err)
	}
	if isMute(err) {
		l.noteMute(err)
		if !to.several || l.alone() { // otherwise dropping the connection would cut off the answers to other requests
			to.drop()
		}
	}
	return err
}

// forget frees the storage of all bodies, and allows requests to slow addresses
// again.
func (a *asker) forget() {
	a.spools.forget()
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, l := range a.queues {
		l.clearSlow()
	}
}

// isMute reports whether the error says that no byte of an answer came.
func isMute(err error) bool {
	var silent *SilentError
	return errors.As(err, &silent) && !silent.Begun
}

// isSlow reports whether the error says that an answer came too slowly.
func isSlow(err error) bool {
	var silent *SilentError
	return errors.As(err, &silent) && silent.Slow
}

// ask sends the question over an idle connection or a new one. The server may have
// closed the idle one, which only shows when it is used; then a new one is opened.
func (a *asker) ask(ctx context.Context, to address, q *question, l *queue) (*transport.Body, error) {
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

// over sends the question over a connection. Afterwards it keeps the connection for
// waiting requests or closes it.
func (a *asker) over(ctx context.Context, c *conn, to address, q *question, l *queue) (*transport.Body, error) {
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
