package mesh

import (
	"io"
	"net"
	"sync"
)

// A relay forwards TCP connections between one Envoy and its istiod. While it is stalled it keeps the connections open
// and forwards no bytes: istiod sees a connected proxy that acknowledges nothing, and Envoy sees a silent control
// plane.
type relay struct {
	listener net.Listener

	mu     sync.Mutex
	target string
	open   chan struct{} // closed while bytes are forwarded
	conns  map[net.Conn]bool
}

// newRelay listens on a port. It forwards no connection before point is called.
func newRelay(port int) (*relay, error) {
	l, err := net.Listen("tcp", loopback(port))
	if err != nil {
		return nil, err
	}
	r := &relay{listener: l, open: make(chan struct{}), conns: map[net.Conn]bool{}}
	close(r.open)
	go r.serve()
	return r, nil
}

func (r *relay) serve() {
	for {
		down, err := r.listener.Accept()
		if err != nil {
			return
		}
		go r.relay(down)
	}
}

func (r *relay) relay(down net.Conn) {
	defer r.drop(down)
	r.mu.Lock()
	target := r.target
	r.conns[down] = true
	r.mu.Unlock()
	up, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	defer r.drop(up)
	r.mu.Lock()
	r.conns[up] = true
	r.mu.Unlock()
	ended := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{down, up}, {up, down}} {
		go func() {
			r.pass(way[1], way[0])
			ended <- struct{}{}
		}()
	}
	<-ended
}

// pass copies bytes until either side closes. It waits while the relay is stalled.
func (r *relay) pass(to io.Writer, from io.Reader) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		r.mu.Lock()
		open := r.open
		r.mu.Unlock()
		<-open
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

func (r *relay) drop(c net.Conn) {
	c.Close()
	r.mu.Lock()
	delete(r.conns, c)
	r.mu.Unlock()
}

// sessions returns the number of connections through the relay.
func (r *relay) sessions() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.conns) / 2
}

// setTarget changes the target. Connections to another target are closed.
func (r *relay) setTarget(target string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.target != target {
		r.target = target
		r.end()
	}
}

// cut closes all connections. Envoy then reconnects.
func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.end()
}

// end closes all connections. The caller must hold mu.
func (r *relay) end() {
	for c := range r.conns {
		c.Close()
	}
}

func (r *relay) stall() {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-r.open:
		r.open = make(chan struct{})
	default:
	}
}

func (r *relay) resume() {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-r.open:
	default:
		close(r.open)
	}
}

func (r *relay) close() {
	r.listener.Close()
	r.resume()
	r.cut()
}
