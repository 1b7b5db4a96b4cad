package random

// The protocols that a connection may start with.
const (
	TLS    = "tls"
	HTTP10 = "http/1.0"
	HTTP11 = "http/1.1"
	H2C    = "h2c"
	Bytes  = "bytes" // no known protocol
)

// Connection is a connection to a listener.
type Connection struct {
	Source, Destination string
	SourcePort, Port    int
	Speaks              string // the protocol: TLS, HTTP10 and so on
	SNI                 string
	ALPN                []string
}

// Connection returns a random connection to one of the listeners.
func (s Source) Connection(to Listeners) Connection {
	c := Connection{
		Source: pick(s, addresses(to.Family)...), Destination: pick(s, addresses(to.Family)...),
		SourcePort: pick(s, 1000, 2000, 3000), Port: pick(s, to.Ports...), Speaks: pick(s, TLS, TLS, TLS, HTTP11, HTTP11, HTTP10, H2C, Bytes),
	}
	if s.oneIn(8) {
		c.Source = c.Destination
	}
	if c.Speaks == TLS {
		c.SNI = pick(s, "", "a.ex.com", "b.ex.com", "c.a.ex.com", "ex.com", "A.Ex.Com", "other.org", "x.com")
		c.ALPN = pick(s, nil, []string{"h2"}, []string{"http/1.1"}, []string{"h2", "http/1.1"}, []string{"http/1.1", "h2"}, []string{"istio", "h2"}, []string{"foo"})
	}
	return c
}
