package routing

import (
	"context"
	"slices"
	"strings"
)

// Seen is what listener filters found out about a connection.
type Seen struct {
	TLS  bool     // that it is TLS, with the SNI and ALPN of the request
	HTTP []string // that it is HTTP without TLS
}

// Inspect gives what is known of a connection after the listener filters of a
// listener, beside what was known before it.
func Inspect(ctx context.Context, x *Cache, listener any, r Request, seen Seen) (Seen, error) {
	c := newChoice(ctx, x, Envoy{})
	return c.inspected(c.message(listener), r, seen), c.err
}

func (c *choice) inspected(l message, r Request, seen Seen) Seen {
	if r.TLS {
		seen.TLS = seen.TLS || inspects(l, tlsInspector, r.DestinationPort)
	} else if r.Scheme != Bytes && inspects(l, httpInspector, r.DestinationPort) {
		if seen.HTTP = r.ALPN; seen.HTTP == nil {
			seen.HTTP = []string{"http/1.1"}
		}
	}
	return seen
}

// detected is the connection as it looks behind the listener filters.
func (c *choice) detected(l message, r Request, seen Seen) Request {
	seen = c.inspected(l, r, seen)
	switch {
	case r.TLS && !seen.TLS: // nobody looks: it is bytes
		r.TLS, r.SNI, r.ALPN = false, "", nil
	case !r.TLS && seen.HTTP != nil:
		r.ALPN = seen.HTTP
	case !r.TLS:
		r.ALPN = nil
	}
	return r
}

// The listener filters that look into what a connection begins with.
const (
	tlsInspector  = "tls_inspector"  // for TLS: its SNI and ALPN
	httpInspector = "http_inspector" // for HTTP without TLS: what is found is chosen by as ALPN is
)

// inspects tells whether a listener has an inspector, in force for that port.
func inspects(l message, inspector string, port int) bool {
	for _, f := range l.list("listenerFilters") {
		if strings.Contains(f.sub("typedConfig").text("@type"), "."+inspector+".") || kindOfFilter("", f.text("name"), "listener") == inspector {
			return !disabled(f.sub("filterDisabled"), port)
		}
	}
	return false
}

// disabled tells whether a listener filter's predicate fits a connection.
func disabled(p message, port int) bool {
	switch {
	case p.has("anyMatch"):
		return p.flag("anyMatch")
	case p.has("notMatch"):
		return !disabled(p.sub("notMatch"), port)
	case p.has("orMatch"):
		return slices.ContainsFunc(p.sub("orMatch").list("rules"), func(m message) bool { return disabled(m, port) })
	case p.has("andMatch"):
		return !slices.ContainsFunc(p.sub("andMatch").list("rules"), func(m message) bool { return !disabled(m, port) })
	}
	ports := p.sub("destinationPortRange")
	return int(ports.number("start")) <= port && port < int(ports.number("end"))
}
