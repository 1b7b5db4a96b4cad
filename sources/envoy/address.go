package envoy

import (
	"net"
	"strconv"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// An address is a parsed Envoy address.
type address struct {
	// the address as "10.0.0.1:80", "[::1]:80", "unix:///path" or
	// "envoy://listener/id"; empty for any other address
	text string
	ip   string // the IP address of a socket, or a host name that DNS resolves
	port int
	pipe bool
}

// readAddress parses an envoy.config.core.v3.Address, or the same message of
// version 2.
func readAddress(m *object.Object) address {
	if s := m.Object("socketAddress"); s != nil {
		port, _ := s.Get("portValue").(int)
		ip := s.Text("address")
		return address{text: net.JoinHostPort(ip, strconv.Itoa(port)), ip: ip, port: port}
	}
	if s := m.Object("pipe"); s != nil {
		return address{text: "unix://" + s.Text("path"), pipe: true}
	}
	if s := m.Object("envoyInternalAddress"); s != nil {
		a := address{text: "envoy://" + s.Text("serverListenerName")}
		if id := s.Text("endpointId"); id != "" {
			a.text += "/" + id
		}
		return a
	}
	return address{}
}
