package live

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"

	"github.com/meshq/kubectl-meshq/sources/transport"
)

// A Dialer opens connections to the pods of a cluster. Its errors work with
// apierrors.IsForbidden and similar functions. A dialer may also have the method
//
//	Drop(namespace, pod string)
//
// It is called for a pod that accepted a connection and didn't respond, because
// the port-forward session to the pod may be dead.
type Dialer interface {
	// DialContext opens a connection to a port of a pod. The dialer itself sets a
	// deadline for opening the connection.
	DialContext(ctx context.Context, namespace, pod string, port int) (net.Conn, error)

	// Release is called when all connections to a pod are closed and no more are
	// needed for now.
	Release(namespace, pod string)

	// Pause is called with true if a pod in use doesn't answer a request for long.
	// If it returns true, the connections to this pod don't count against the
	// dialer's limit until Pause is called with false, so that other pods may be
	// used in the meantime. It returns false while the API server refuses more
	// connections.
	Pause(namespace, pod string, paused bool) bool

	// Exec runs a command in a container and writes its output to out.
	Exec(ctx context.Context, namespace, pod, container string, command []string, out io.Writer) error

	// Close closes all connections to pods.
	Close() error
}

// An asker sends requests over connections and stores the responses.
type asker struct {
	limits
	counters
	spools

	mu     sync.Mutex
	queues map[string]*queue
}

// An address identifies the process to which a request is sent.
type address struct {
	id      string // the key of the process's queue
	port    int
	several bool // true if the process accepts several requests at the same time
	dial    func(context.Context) (net.Conn, error)
	release func()
	drop    func()
	pause   func(paused bool) bool
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

// inTurn waits for its turn in the queue of the address, and then calls do. It
// returns an error without calling do if an earlier request in the queue got no
// response, or if some response was too slow. So a proxy that hangs delays all its
// requests together by only one deadline. When the queue becomes empty, inTurn
// releases the address.
func (a *asker) inTurn(ctx context.Context, to address, do func(turn) error) error {
	p := a.wait(ctx, to)
	defer p.end()
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
	if err := ended(ctx); err != nil { // if ctx has ended too, select may still choose the turn, at random
		return err
	}
	if err := l.errorSince(since); err != nil {
		return err
	}
	err := do(turn{l, p})
	if isSlow(err) {
		l.markSlow(err)
	}
	if isMute(err) {
		l.noteMute(err)
		if !to.several || l.alone() { // dropping a connection that other requests use would cut off their responses
			to.drop()
		}
	}
	return err
}

// A turn is the state of a request that is being sent: the queue of its address, and
// its patience.
type turn struct {
	*queue
	*patience
}

// forget frees the storage of all bodies. It also allows requests to addresses
// that were too slow before.
func (a *asker) forget() {
	a.spools.forget()
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, l := range a.queues {
		l.clearSlow()
	}
}

// isMute reports whether an error means that not a single byte of a response was
// received.
func isMute(err error) bool {
	var silent *SilentError
	return errors.As(err, &silent) && !silent.Begun
}

// isSlow reports whether an error means that a response arrived too slowly.
func isSlow(err error) bool {
	var silent *SilentError
	return errors.As(err, &silent) && silent.Slow
}

// ask sends a request over an idle connection or over a new one. A server may have
// closed the idle connection, which is noticed only when the connection is used;
// then ask opens a new one.
func (a *asker) ask(ctx context.Context, to address, q *question, l turn) (*transport.Body, error) {
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

// over sends a request over a connection. Afterwards it keeps the connection if
// other requests wait for it, and otherwise closes it.
func (a *asker) over(ctx context.Context, c *conn, to address, q *question, l turn) (*transport.Body, error) {
	body, again, err := a.exchange(ctx, c, q, l)
	if err == nil && again {
		l.keep(to.port, c)
		return body, nil
	}
	c.end()
	if err != nil && ctx.Err() == nil {
		err = unreached(to.port, err)
	}
	return body, err
}
