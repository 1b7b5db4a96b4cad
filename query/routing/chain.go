package routing

import (
	"context"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/query/document"
)

// Taken is the result of selecting a filter chain: what a listener does with a
// connection.
type Taken struct {
	Chain   any    // the filter chain; nil means that Envoy closes the connection
	Default bool   // true if Chain is the default filter chain, because no other chain matches
	Why     string // the criteria by which the chain was selected, for users
	Near    []Near // the chains that almost matched, each with the first criterion that didn't match

	// Unsupported names the input of a matcher, or another feature, that
	// determines the selection but can't be evaluated by this package. It is empty
	// if the selection is certain.
	Unsupported string

	// Request is the connection as it appears to the listener. TLS, SNI and ALPN
	// are set only if a listener filter detects them.
	Request Request
}

// Chain selects the filter chain of a listener for a connection. It applies the
// criteria one after another, as Envoy does: each criterion keeps only the most
// specific chains, and the others are never considered again. If no chain
// remains, Chain returns the default filter chain, if there is one. seen is
// what the filters of an earlier listener have detected, if that listener has
// passed the connection on.
func Chain(ctx context.Context, x *Cache, e Envoy, listener any, r Request, seen Seen) (Taken, error) {
	c := newChoice(ctx, x, e)
	l := c.Message(listener)
	r = c.detected(l, r, seen)
	t := Taken{Request: r}
	chains, _ := l.Value("filterChains").([]any)
	if l.Has("filterChainMatcher") {
		c.chainByTree(l, chains, r, &t)
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
			t.noteDropped(is, left, kept, &r)
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
		t.Chain, t.Default, t.Why = l.Fields.Get("defaultFilterChain"), true, "no other matches"
	}
	if t.Chain != nil && !t.Default && t.Why == "" {
		t.Why = "it matches all connections"
	}
	return t, c.Err
}

// noteDropped records the chains that a criterion drops as near misses. Each call
// replaces the earlier record, so only the chains that were dropped last remain.
func (t *Taken) noteDropped(by criterion, all, kept []candidate, r *Request) {
	var near []Near
	for _, one := range all {
		if !slices.ContainsFunc(kept, func(k candidate) bool { return k.at == one.at }) {
			near = append(near, Near{one.chain, by.name + " is " + by.has(r) + "; it has " + by.wants(one.match)})
		}
	}
	t.Near = near[:min(len(near), maxNear)]
}

// chainByTree selects the chain by a matcher tree, which listeners may have in
// place of the criteria. If the tree selects the name of a chain that doesn't
// exist, Envoy closes the connection.
func (c *choice) chainByTree(l document.Message, chains []any, r Request, t *Taken) {
	action := c.evaluateTree(l.Sub("filterChainMatcher"), &routed{Request: r})
	if len(c.answer.Unsupported) > 0 {
		t.Unsupported = c.answer.Unsupported[0]
	}
	if action.Fields == nil {
		t.Chain, t.Default, t.Why = l.Fields.Get("defaultFilterChain"), true, "the listener's matcher chooses no chain"
		return
	}
	name := action.Sub("typedConfig").Text("value")
	t.Why = "the listener's matcher chooses " + name
	for _, ch := range chains {
		if c.Message(ch).Text("name") == name {
			t.Chain = ch
			return
		}
	}
}

// Seen is what listener filters have detected about a connection.
type Seen struct {
	TLS  bool     // true if a filter has detected TLS, and with it the SNI and ALPN of the request
	HTTP []string // the HTTP protocols that a filter has detected in a connection without TLS
}

// Inspect returns what is known about a connection after it has passed a
// listener's filters. seen is what was known before.
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

// detected returns the connection as the listener sees it after its listener
// filters.
func (c *choice) detected(l document.Message, r Request, seen Seen) Request {
	seen = c.inspected(l, r, seen)
	switch {
	case r.TLS && !seen.TLS: // without a TLS inspector, the listener doesn't recognize TLS
		r.TLS, r.SNI, r.ALPN = false, "", nil
	case !r.TLS && seen.HTTP != nil:
		r.ALPN = seen.HTTP
	case !r.TLS:
		r.ALPN = nil
	}
	return r
}

// These are the listener filters that inspect the first bytes of a connection.
const (
	tlsInspector  = "tls_inspector"  // detects TLS with its SNI and ALPN
	httpInspector = "http_inspector" // detects HTTP without TLS; chains match it by application_protocols
)

// inspects reports whether a listener has the given inspector and the inspector is
// not disabled for the port.
func inspects(l document.Message, inspector string, port int) bool {
	for _, f := range l.List("listenerFilters") {
		if strings.Contains(f.Sub("typedConfig").Text("@type"), "."+inspector+".") || kindOfFilter("", f.Text("name"), "listener") == inspector {
			return !disabled(f.Sub("filterDisabled"), port)
		}
	}
	return false
}

// disabled reports whether p, the filter_disabled predicate of a listener filter,
// matches a connection to the port.
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
