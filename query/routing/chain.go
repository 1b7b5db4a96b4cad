package routing

import (
	"context"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/query/document"
)

// A Taken is what a listener does with a connection.
type Taken struct {
	Chain   any    // the filter chain; nil: the connection is closed
	Default bool   // it is the default one, no other fits
	Why     string // what it was chosen by
	Near    []Near // other chains, and by what each was left

	// Unsupported is what the choice hangs on and can't be decided here.
	Unsupported string

	// Request is the connection as the listener sees it: without what nobody
	// looked for.
	Request Request
}

// Chain gives the filter chain of a listener that a connection takes: one pass
// over the criteria, each keeping the most specific, never going back. None
// fits: the default filter chain, or none. What an earlier listener found out
// about the connection, which it then handed on, is in seen.
func Chain(ctx context.Context, x *Cache, e Envoy, listener any, r Request, seen Seen) (Taken, error) {
	c := newChoice(ctx, x, e)
	l := c.Message(listener)
	r = c.detected(l, r, seen)
	t := Taken{Request: r}
	chains, _ := l.Value("filterChains").([]any)
	if l.Has("filterChainMatcher") {
		c.byTree(l, chains, r, &t)
		return t, c.Err
	}
	left := make([]candidate, len(chains))
	for i, ch := range chains {
		left[i] = candidate{chain: ch, at: i, match: c.Message(ch).Sub("filterChainMatch")}
	}
	var by []string
	for _, is := range criteria {
		kept := is.keep(left, &r)
		if c.Err == nil && len(kept) < len(left) {
			t.leave(is, left, kept, &r)
		}
		if left = kept; len(left) == 0 {
			break
		}
		if is.asks(left[0].match) {
			by = append(by, is.name+" "+is.has(&r))
		}
	}
	switch {
	case c.Err != nil:
	case len(left) > 0:
		t.Chain, t.Why = left[0].chain, strings.Join(by, ", ")
	case l.Has("defaultFilterChain"):
		t.Chain, t.Default, t.Why = l.Fields.Get("defaultFilterChain"), true, "no other fits"
	}
	if t.Chain != nil && !t.Default && t.Why == "" {
		t.Why = "it takes all connections"
	}
	return t, c.Err
}

// leave notes the chains that a criterion drops: those dropped last are the
// nearest.
func (t *Taken) leave(by criterion, all, kept []candidate, r *Request) {
	var near []Near
	for _, one := range all {
		if !slices.ContainsFunc(kept, func(k candidate) bool { return k.at == one.at }) {
			near = append(near, Near{one.chain, by.name + " is " + by.has(r) + "; it has " + by.wants(one.match)})
		}
	}
	t.Near = near[:min(len(near), mostNear)]
}

// byTree chooses by a matcher tree, which takes the place of all criteria. A
// name that no chain has closes the connection.
func (c *choice) byTree(l document.Message, chains []any, r Request, t *Taken) {
	action := c.decide(l.Sub("filterChainMatcher"), &routed{Request: r})
	if len(c.answer.Unsupported) > 0 {
		t.Unsupported = c.answer.Unsupported[0]
	}
	if action.Fields == nil {
		t.Chain, t.Default, t.Why = l.Fields.Get("defaultFilterChain"), true, "the listener's matcher names no chain"
		return
	}
	name := action.Sub("typedConfig").Text("value")
	t.Why = "the listener's matcher names " + name
	for _, ch := range chains {
		if c.Message(ch).Text("name") == name {
			t.Chain = ch
			return
		}
	}
}

// Seen is what listener filters found out about a connection.
type Seen struct {
	TLS  bool     // that it is TLS, with the SNI and ALPN of the request
	HTTP []string // that it is HTTP without TLS
}

// Inspect gives what is known of a connection after the listener filters of a
// listener, beside what was known before it.
func Inspect(ctx context.Context, x *Cache, listener any, r Request, seen Seen) (Seen, error) {
	c := newChoice(ctx, x, Envoy{})
	return c.inspected(c.Message(listener), r, seen), c.Err
}

func (c *choice) inspected(l document.Message, r Request, seen Seen) Seen {
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
func (c *choice) detected(l document.Message, r Request, seen Seen) Request {
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
func inspects(l document.Message, inspector string, port int) bool {
	for _, f := range l.List("listenerFilters") {
		if strings.Contains(f.Sub("typedConfig").Text("@type"), "."+inspector+".") || kindOfFilter("", f.Text("name"), "listener") == inspector {
			return !disabled(f.Sub("filterDisabled"), port)
		}
	}
	return false
}

// disabled tells whether a listener filter's predicate fits a connection.
func disabled(p document.Message, port int) bool {
	switch {
	case p.Has("anyMatch"):
		return p.Flag("anyMatch")
	case p.Has("notMatch"):
		return !disabled(p.Sub("notMatch"), port)
	case p.Has("orMatch"):
		return slices.ContainsFunc(p.Sub("orMatch").List("rules"), func(m document.Message) bool { return disabled(m, port) })
	case p.Has("andMatch"):
		return !slices.ContainsFunc(p.Sub("andMatch").List("rules"), func(m document.Message) bool { return !disabled(m, port) })
	}
	ports := p.Sub("destinationPortRange")
	return int(ports.Number("start")) <= port && port < int(ports.Number("end"))
}
