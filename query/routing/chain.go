package routing

import (
	"context"
	"slices"
	"strings"
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
	l := c.message(listener)
	r = c.detected(l, r, seen)
	t := Taken{Request: r}
	chains, _ := l.value("filterChains").([]any)
	if l.has("filterChainMatcher") {
		c.byTree(l, chains, r, &t)
		return t, c.err
	}
	left := make([]candidate, len(chains))
	for i, ch := range chains {
		left[i] = candidate{chain: ch, at: i, match: c.message(ch).sub("filterChainMatch")}
	}
	var by []string
	for _, is := range criteria {
		kept := is.keep(left, &r)
		if c.err == nil && len(kept) < len(left) {
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
	case c.err != nil:
	case len(left) > 0:
		t.Chain, t.Why = left[0].chain, strings.Join(by, ", ")
	case l.has("defaultFilterChain"):
		t.Chain, t.Default, t.Why = l.fields.Get("defaultFilterChain"), true, "no other fits"
	}
	if t.Chain != nil && !t.Default && t.Why == "" {
		t.Why = "it takes all connections"
	}
	return t, c.err
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
func (c *choice) byTree(l message, chains []any, r Request, t *Taken) {
	action := c.decide(l.sub("filterChainMatcher"), &routed{Request: r})
	if len(c.answer.Unsupported) > 0 {
		t.Unsupported = c.answer.Unsupported[0]
	}
	if action.fields == nil {
		t.Chain, t.Default, t.Why = l.fields.Get("defaultFilterChain"), true, "the listener's matcher names no chain"
		return
	}
	name := action.sub("typedConfig").text("value")
	t.Why = "the listener's matcher names " + name
	for _, ch := range chains {
		if c.message(ch).text("name") == name {
			t.Chain = ch
			return
		}
	}
}
