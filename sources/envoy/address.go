package envoy

import (
	"net"
	"strconv"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// An address is one of Envoy's addresses, read.
type address struct {
	text string // "10.0.0.1:80", "[::1]:80", "unix:///path", "envoy://listener/id"; empty when it is none of these
	ip   string // of a socket; a name for a host that is looked up by DNS
	port int
	pipe bool
}

// readAddress reads an envoy.config.core.v3.Address, or the same of version 2.
func readAddress(m *object.Object) address {
	if s := objectIn(m, "socketAddress"); s != nil {
		port, _ := s.Get("portValue").(int)
		ip := text(s, "address")
		return address{text: net.JoinHostPort(ip, strconv.Itoa(port)), ip: ip, port: port}
	}
	if s := objectIn(m, "pipe"); s != nil {
		return address{text: "unix://" + text(s, "path"), pipe: true}
	}
	if s := objectIn(m, "envoyInternalAddress"); s != nil {
		a := address{text: "envoy://" + text(s, "serverListenerName")}
		if id := text(s, "endpointId"); id != "" {
			a.text += "/" + id
		}
		return a
	}
	return address{}
}
