package fleet

import (
	"fmt"
	"net"
	"net/http"

	"github.com/gorilla/websocket"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"
)

// The ports that the fleet's pods listen on.
const (
	envoyPort = "15000"
	pilotPort = "15014"
)

// forward upgrades a request to a port-forwarding session into a pod, over a WebSocket or plain SPDY. It serves the
// session's connections until the session ends.
func (s *apiServer) forward(w http.ResponseWriter, r *http.Request, pod string) {
	ports := s.fleet.ports(pod)
	if ports == nil {
		s.refuse(w, http.StatusNotFound, metav1.StatusReasonNotFound, fmt.Sprintf("pods %q not found", pod))
		return
	}
	streams, done := make(chan httpstream.Stream), make(chan struct{})
	defer close(done)
	accept := func(stream httpstream.Stream, _ <-chan struct{}) error {
		go func() { // in a goroutine, so that the session's reader isn't blocked
			select {
			case streams <- stream:
			case <-done:
			}
		}()
		return nil
	}
	carrier := r.Context().Value(connKey{}).(net.Conn)
	if !s.fleet.hold(carrier) {
		return
	}
	defer s.fleet.drop(carrier)
	conn := upgrade(w, r, accept)
	if conn == nil {
		return
	}
	defer conn.Close()
	defer s.fleet.counters.session()()
	pairs := pairs{}
	for {
		select {
		case <-conn.CloseChan():
			return
		case stream := <-streams:
			if data, errs := pairs.add(stream); data != nil {
				s.fleet.work.Go(func() { connect(conn, ports[data.Headers().Get(corev1.PortHeader)], data, errs) })
			}
		}
	}
}

// upgrade upgrades a request to a SPDY connection. It returns nil if it has answered with an error.
func upgrade(w http.ResponseWriter, r *http.Request, accept httpstream.NewStreamHandler) httpstream.Connection {
	if !websocket.IsWebSocketUpgrade(r) {
		if _, err := httpstream.Handshake(r, w, []string{portforward.PortForwardProtocolV1Name}); err != nil {
			return nil
		}
		return spdy.NewResponseUpgrader().UpgradeResponse(w, r, accept)
	}
	up := websocket.Upgrader{Subprotocols: []string{"SPDY/3.1+" + portforward.PortForwardProtocolV1Name}}
	ws, err := up.Upgrade(w, r, nil)
	if err != nil {
		return nil
	}
	conn, err := spdy.NewServerConnection(portforward.NewTunnelingConnection("server", ws), accept)
	if err != nil {
		ws.Close()
		return nil
	}
	return conn
}

// ports returns the admins of a pod by port. It returns nil if there is no such pod.
func (f *Fleet) ports(pod string) map[string]*admin {
	if p := f.byName[pod]; p != nil {
		if p.Trouble == Refused {
			return map[string]*admin{}
		}
		return map[string]*admin{envoyPort: &p.admin}
	}
	for _, d := range f.istiods {
		if pod == d.name+".istio-system" {
			return map[string]*admin{pilotPort: &d.admin}
		}
	}
	return nil
}

// pairs holds the streams of a session that still lack the other stream of their connection.
type pairs map[string]httpstream.Stream

// add returns both streams of a connection when the second one arrives, and nil before.
func (p pairs) add(s httpstream.Stream) (data, errs httpstream.Stream) {
	id := s.Headers().Get(corev1.PortForwardRequestIDHeader)
	other := p[id]
	if other == nil {
		p[id] = s
		return nil, nil
	}
	delete(p, id)
	if s.Headers().Get(corev1.StreamType) == corev1.StreamTypeData {
		return s, other
	}
	return other, s
}

// connect serves a pair of streams with an admin. If the admin is nil, nothing listens on the port, and connect writes
// the error that a kubelet writes.
func connect(conn httpstream.Connection, a *admin, data, errs httpstream.Stream) {
	defer conn.RemoveStreams(data, errs)
	defer data.Close()
	defer errs.Close()
	if a == nil {
		port := data.Headers().Get(corev1.PortHeader)
		fmt.Fprintf(errs, "error forwarding port %s to pod 3f2a, uid : failed to execute portforward in network namespace \"/var/run/netns/cni-3f2a\": "+
			"failed to connect to localhost:%s inside namespace \"3f2a\", IPv4: dial tcp4 127.0.0.1:%s: connect: connection refused IPv6 dial tcp6: address localhost: no suitable address found ", port, port, port)
		return
	}
	a.serve(data)
}
