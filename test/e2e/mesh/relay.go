package mesh

import (
	"io"
	"net"
	"sync"
)

// A relay is a TCP relay between one Envoy and its istiod. Stalled, it keeps
// its connections and passes nothing on: istiod has a proxy that is connected
// and acknowledges nothing, Envoy has a control plane that is silent.
type relay struct {
	listener net.Listener

	mu     sync.Mutex
	target string
	open   chan struct{} // closed while bytes may pass
	conns  map[net.Conn]bool
}

// newRelay listens on a port; nothing passes it before Point.
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

// pass copies until either side ends, and waits while the relay is stalled.
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

// sessions counts the connections that pass it.
func (r *relay) sessions() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.conns) / 2
}

// point has it lead elsewhere. Connections that lead to another place end.
func (r *relay) point(target string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.target != target {
		r.target = target
		r.end()
	}
}

// cut ends all connections; Envoy makes new ones.
func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.end()
}

// end ends all connections; the caller holds mu.
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
