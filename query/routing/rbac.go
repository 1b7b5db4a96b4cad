package routing

import (
	"cmp"
	"net/netip"
	"strings"
)

// A Verdict is what an RBAC filter says of a request.
type Verdict struct {
	Filter  string
	Policy  string // the one that decides; empty where none does
	Action  string // of the rules: ALLOW, DENY or LOG
	Denied  bool
	Shadow  bool   // it is only noted, and has no effect
	Unknown string // what the verdict hangs on and isn't known; then Denied says nothing
}

// Identity is what a verdict depends on that is about whom the client's
// certificate is for.
const Identity = "the client's identity"

// truth is what is known of a condition.
type truth int

const (
	no truth = iota
	maybe
	yes
)

func sure(b bool) truth {
	if b {
		return yes
	}
	return no
}

// rules are RBAC rules being asked.
type rules struct {
	*choice
	r       *routed
	unknown string // the first condition that isn't known
}

// sure tells whether a condition holds. Where it depends on what isn't known,
// doubt is what that is. The answer's own doubts are set aside meanwhile: one
// that was met before would not be added again, and the condition would pass as
// decided.
func (c *choice) sure(holds func() bool) truth {
	before := c.answer.Unsupported
	c.answer.Unsupported = nil
	c.found()
	is := sure(holds())
	digest, doubts := c.found(), c.answer.Unsupported
	c.answer.Unsupported = before
	switch {
	case digest != "" && is != yes:
		c.doubt = digest
		return maybe
	case len(doubts) > 0:
		c.doubt = doubts[0]
		return maybe
	}
	return is
}

// rbac decides a request by an RBAC filter's configuration, that of an HTTP
// filter or of a network filter, which sees no headers.
func (c *choice) rbac(m message, r *routed) []Verdict {
	var out []Verdict
	for _, part := range []struct {
		rules, matcher string
		shadow         bool
	}{{"rules", "matcher", false}, {"shadowRules", "shadowMatcher", true}} {
		a := &rules{choice: c, r: r}
		var v Verdict
		switch {
		case m.has(part.matcher):
			v = a.byTree(m.sub(part.matcher))
		case m.has(part.rules):
			v = a.ask(m.sub(part.rules))
		default:
			continue
		}
		v.Shadow = part.shadow
		out = append(out, v)
	}
	return out
}

// ask asks the policies, in the order of their names.
func (a *rules) ask(m message) Verdict {
	v := Verdict{Action: cmp.Or(m.text("action"), "ALLOW")}
	policies := m.sub("policies")
	for _, name := range policies.fields.Sorted() {
		switch a.policy(policies.sub(name)) {
		case yes:
			v.Policy, v.Denied = name, v.Action == "DENY"
			if v.Unknown != "" && v.Action != "LOG" { // an earlier one may apply: the verdict is the same
				v.Unknown = ""
			}
			return v
		case maybe:
			if v.Unknown == "" {
				v.Policy, v.Unknown = name, a.unknown
			}
		}
	}
	if v.Unknown == "" {
		v.Denied = v.Action == "ALLOW"
	}
	return v
}

// byTree decides by a matcher tree; what none fits is denied.
func (a *rules) byTree(tree message) Verdict {
	var action message
	if a.sure(func() bool { action = a.decide(tree, a.r); return true }) == maybe {
		return Verdict{Action: "ALLOW", Unknown: a.doubt}
	}
	if action.fields == nil {
		return Verdict{Action: "ALLOW", Denied: true}
	}
	config := action.sub("typedConfig")
	is := cmp.Or(config.text("action"), "ALLOW")
	return Verdict{Policy: config.text("name"), Action: is, Denied: is == "DENY"}
}

func (a *rules) policy(p message) truth {
	out := min(a.any(p.list("permissions"), a.permission), a.any(p.list("principals"), a.principal))
	if out != no && (p.has("condition") || p.has("checkedCondition") || p.has("celConfig")) {
		return a.notKnown("a CEL condition")
	}
	return out
}

func (a *rules) notKnown(what string) truth {
	a.unknown = cmp.Or(a.unknown, what)
	return maybe
}

// holds is [choice.sure], and notes the doubt.
func (a *rules) holds(is func() bool) truth {
	t := a.sure(is)
	if t == maybe {
		return a.notKnown(a.doubt)
	}
	return t
}

// onPath asks a condition of the request's path, by [rbacParameters]. Where no
// route was chosen, no route configuration says to cut anything (as Envoy
// 1.40.0 answers).
func (a *rules) onPath(holds func(path string) bool) bool {
	p := pathOnly(a.r.Path)
	if !a.ignoreParameters || a.answer.Status == 404 || !strings.Contains(p, ";") {
		return holds(p)
	}
	return byRule(a.choice, rbacParameters, func() bool { return holds(cutPerSegment(p)) }, func() bool { return holds(p) })
}

func (a *rules) any(all []message, holds func(message) truth) truth {
	out := no
	for _, m := range all {
		if out = max(out, holds(m)); out == yes {
			break
		}
	}
	return out
}

func (a *rules) all(all []message, holds func(message) truth) truth {
	out := yes
	for _, m := range all {
		if out = min(out, holds(m)); out == no {
			break
		}
	}
	return out
}

func (a *rules) permission(m message) truth {
	switch {
	case m.has("andRules"):
		return a.all(m.sub("andRules").list("rules"), a.permission)
	case m.has("orRules"):
		return a.any(m.sub("orRules").list("rules"), a.permission)
	case m.has("notRule"):
		return yes - a.permission(m.sub("notRule"))
	case m.has("destinationIp"):
		return a.within(m.sub("destinationIp"), a.r.Destination, "the destination's address")
	case m.has("destinationPort"):
		return sure(int(m.number("destinationPort")) == a.r.DestinationPort)
	case m.has("destinationPortRange"):
		g := m.sub("destinationPortRange")
		return sure(int(g.number("start")) <= a.r.DestinationPort && a.r.DestinationPort < int(g.number("end")))
	case m.has("requestedServerName"):
		return a.holds(func() bool { return a.stringMatch(m.sub("requestedServerName"), a.r.SNI) })
	case m.has("uriTemplate"):
		return a.holds(func() bool { return a.onPath(func(p string) bool { return a.template(m.sub("uriTemplate"), p) }) })
	case m.has("matcher"):
		return a.notKnown("a matcher of its own")
	}
	return a.either(m)
}

func (a *rules) principal(m message) truth {
	switch {
	case m.has("andIds"):
		return a.all(m.sub("andIds").list("ids"), a.principal)
	case m.has("orIds"):
		return a.any(m.sub("orIds").list("ids"), a.principal)
	case m.has("notId"):
		return yes - a.principal(m.sub("notId"))
	case m.has("authenticated"):
		return a.authenticated(m.sub("authenticated"))
	case m.has("filterState"):
		if f := m.sub("filterState"); strings.HasSuffix(f.text("key"), "peer_principal") { // Istio's
			return a.identity(f.sub("stringMatch"))
		}
		return a.notKnown("filter state")
	case m.has("sourceIp"):
		return a.within(m.sub("sourceIp"), a.r.Source, "the source's address")
	case m.has("directRemoteIp"):
		return a.within(m.sub("directRemoteIp"), cmp.Or(a.r.DirectSource, a.r.Source), "the source's address")
	case m.has("remoteIp"):
		return a.within(m.sub("remoteIp"), cmp.Or(a.r.remote, a.r.Source), "the source's address")
	}
	return a.either(m)
}

// either are the conditions that permissions and principals have in common.
func (a *rules) either(m message) truth {
	switch {
	case m.has("any"):
		return sure(m.flag("any"))
	case m.has("header"):
		return a.holds(func() bool { return a.header(m.sub("header"), a.r.headers, rbacHeadersAlone) })
	case m.has("urlPath"):
		return a.holds(func() bool {
			return a.onPath(func(p string) bool { return a.stringMatch(m.sub("urlPath").sub("path"), p) })
		})
	case m.has("metadata"), m.has("sourcedMetadata"):
		return a.byMetadata(m)
	}
	return a.notKnown("a condition of another kind")
}

func (a *rules) byMetadata(m message) truth {
	d := m.sub("metadata")
	if m.has("sourcedMetadata") {
		d = m.sub("sourcedMetadata").sub("metadataMatcher")
	}
	if a.r.Metadata == nil {
		if f := d.text("filter"); strings.Contains(f, "jwt") || f == "istio_authn" {
			return a.notKnown("claims of a JWT")
		}
		return a.notKnown("dynamic metadata of " + d.text("filter"))
	}
	return a.holds(func() bool { return a.metadata(d, a.r.Metadata) != d.flag("invert") })
}

// authenticated is the identity that mutual TLS has proved.
func (a *rules) authenticated(m message) truth {
	if !m.has("principalName") {
		return sure(a.r.TLS)
	}
	if !a.r.TLS { // of a connection in a tunnel the client's certificate is the tunnel's
		return no
	}
	return a.identity(m.sub("principalName"))
}

func (a *rules) identity(m message) truth {
	if !a.r.TLS && !a.r.Tunnelled {
		return no // without a certificate there is none
	}
	if a.r.Principal == "" {
		return a.notKnown(Identity)
	}
	a.about = "the client's identity"
	return a.holds(func() bool { return a.stringMatch(m, a.r.Principal) })
}

func (a *rules) within(cidr message, address, what string) truth {
	addr, err := netip.ParseAddr(address)
	if err != nil {
		return a.notKnown(what)
	}
	p, ok := prefixOf(cidr)
	return sure(ok && p.Contains(addr.Unmap()))
}
