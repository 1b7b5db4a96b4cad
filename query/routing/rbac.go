package routing

import (
	"cmp"
	"net/netip"
	"strings"

	"github.com/meshq/kubectl-meshq/query/document"
)

// A Verdict is the decision of an RBAC filter about a request.
type Verdict struct {
	Filter  string
	Policy  string // the name of the policy that decides; empty if no policy matches
	Action  string // the action of the rules: ALLOW, DENY or LOG
	Denied  bool
	Shadow  bool   // true for the verdict of shadow rules, which Envoy only logs
	Unknown string // the unknown value on which the verdict depends; if it is set, Denied has no meaning
}

// Identity is the value of Verdict.Unknown if the verdict depends on the identity
// in the client's certificate, and this identity isn't known.
const Identity = "the client's identity"

// rules evaluates RBAC rules for one request.
type rules struct {
	*choice
	r       *routed
	unknown string // the first condition whose result is unknown
}

// rbac decides a request by the configuration of an RBAC filter. The filter may
// be an HTTP filter, or a network filter, which has no access to headers.
func (c *choice) rbac(m document.Message, r *routed) []Verdict {
	var out []Verdict
	for _, part := range []struct {
		rules, matcher string
		shadow         bool
	}{{"rules", "matcher", false}, {"shadowRules", "shadowMatcher", true}} {
		a := &rules{choice: c, r: r}
		var v Verdict
		switch {
		case m.Has(part.matcher):
			v = a.verdictByTree(m.Sub(part.matcher))
		case m.Has(part.rules):
			v = a.evaluatePolicies(m.Sub(part.rules))
		default:
			continue
		}
		v.Shadow = part.shadow
		out = append(out, v)
	}
	return out
}

// evaluatePolicies evaluates the policies in the order of their names, as Envoy
// does.
func (a *rules) evaluatePolicies(m document.Message) Verdict {
	v := Verdict{Action: cmp.Or(m.Text("action"), "ALLOW")}
	policies := m.Sub("policies")
	for _, name := range policies.Fields.Sorted() {
		switch a.policy(policies.Sub(name)) {
		case yes:
			v.Policy, v.Denied = name, v.Action == "DENY"
			if v.Unknown != "" && v.Action != "LOG" { // an earlier policy may match, but the verdict would be the same
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

// verdictByTree decides the request by a matcher tree. If the tree selects no
// action, it denies the request.
func (a *rules) verdictByTree(tree document.Message) Verdict {
	var action document.Message
	if a.sure(func() bool { action = a.evaluateTree(tree, a.r); return true }) == maybe {
		return Verdict{Action: "ALLOW", Unknown: a.doubt}
	}
	if action.Fields == nil {
		return Verdict{Action: "ALLOW", Denied: true}
	}
	config := action.Sub("typedConfig")
	is := cmp.Or(config.Text("action"), "ALLOW")
	return Verdict{Policy: config.Text("name"), Action: is, Denied: is == "DENY"}
}

func (a *rules) policy(p document.Message) truth {
	out := min(a.any(p.List("permissions"), a.permission), a.any(p.List("principals"), a.principal))
	if out != no && (p.Has("condition") || p.Has("checkedCondition") || p.Has("celConfig")) {
		return a.notKnown("a CEL condition")
	}
	return out
}

func (a *rules) notKnown(what string) truth {
	a.unknown = cmp.Or(a.unknown, what)
	return maybe
}

// holds evaluates a condition as [matcher.sure] does. If the result is maybe, it
// also stores the condition's description in unknown.
func (a *rules) holds(is func() bool) truth {
	t := a.sure(is)
	if t == maybe {
		return a.notKnown(a.doubt)
	}
	return t
}

// onPath evaluates a condition on the request's path. Whether RBAC removes path
// parameters first depends on [rbacParameters]. RBAC takes
// ignorePathParametersInPathMatching from the selected route, so without a route
// it doesn't remove them (measured on Envoy 1.40.0).
func (a *rules) onPath(holds func(path string) bool) bool {
	p := pathOnly(a.r.Path)
	if !a.ignoreParameters || a.answer.Status == 404 || !strings.Contains(p, ";") {
		return holds(p)
	}
	return byRule(&a.matcher, rbacParameters, func() bool { return holds(cutPerSegment(p)) }, func() bool { return holds(p) })
}

func (a *rules) any(all []document.Message, holds func(document.Message) truth) truth {
	out := no
	for _, m := range all {
		if out = max(out, holds(m)); out == yes {
			break
		}
	}
	return out
}

func (a *rules) all(all []document.Message, holds func(document.Message) truth) truth {
	out := yes
	for _, m := range all {
		if out = min(out, holds(m)); out == no {
			break
		}
	}
	return out
}

func (a *rules) permission(m document.Message) truth {
	switch {
	case m.Has("andRules"):
		return a.all(m.Sub("andRules").List("rules"), a.permission)
	case m.Has("orRules"):
		return a.any(m.Sub("orRules").List("rules"), a.permission)
	case m.Has("notRule"):
		return yes - a.permission(m.Sub("notRule"))
	case m.Has("destinationIp"):
		return a.within(m.Sub("destinationIp"), a.r.Destination, "the destination's address")
	case m.Has("destinationPort"):
		return sure(int(m.Number("destinationPort")) == a.r.DestinationPort)
	case m.Has("destinationPortRange"):
		g := m.Sub("destinationPortRange")
		return sure(int(g.Number("start")) <= a.r.DestinationPort && a.r.DestinationPort < int(g.Number("end")))
	case m.Has("requestedServerName"):
		return a.holds(func() bool { return a.stringMatch(m.Sub("requestedServerName"), a.r.SNI) })
	case m.Has("uriTemplate"):
		return a.holds(func() bool { return a.onPath(func(p string) bool { return a.template(m.Sub("uriTemplate"), p) }) })
	case m.Has("matcher"):
		return a.notKnown("a matcher of its own")
	}
	return a.commonCondition(m)
}

func (a *rules) principal(m document.Message) truth {
	switch {
	case m.Has("andIds"):
		return a.all(m.Sub("andIds").List("ids"), a.principal)
	case m.Has("orIds"):
		return a.any(m.Sub("orIds").List("ids"), a.principal)
	case m.Has("notId"):
		return yes - a.principal(m.Sub("notId"))
	case m.Has("authenticated"):
		return a.authenticated(m.Sub("authenticated"))
	case m.Has("filterState"):
		if f := m.Sub("filterState"); strings.HasSuffix(f.Text("key"), "peer_principal") { // Istio's filter state object with the client's identity
			return a.identity(f.Sub("stringMatch"))
		}
		return a.notKnown("filter state")
	case m.Has("sourceIp"):
		return a.within(m.Sub("sourceIp"), a.r.Source, "the source's address")
	case m.Has("directRemoteIp"):
		return a.within(m.Sub("directRemoteIp"), cmp.Or(a.r.DirectSource, a.r.Source), "the source's address")
	case m.Has("remoteIp"):
		return a.within(m.Sub("remoteIp"), cmp.Or(a.r.remote, a.r.Source), "the source's address")
	}
	return a.commonCondition(m)
}

// commonCondition evaluates the conditions that both permissions and principals
// can have.
func (a *rules) commonCondition(m document.Message) truth {
	switch {
	case m.Has("any"):
		return sure(m.Flag("any"))
	case m.Has("header"):
		return a.holds(func() bool { return a.header(m.Sub("header"), a.r.headers, rbacHeadersAlone) })
	case m.Has("urlPath"):
		return a.holds(func() bool {
			return a.onPath(func(p string) bool { return a.stringMatch(m.Sub("urlPath").Sub("path"), p) })
		})
	case m.Has("metadata"), m.Has("sourcedMetadata"):
		return a.byMetadata(m)
	}
	return a.notKnown("a condition of another kind")
}

func (a *rules) byMetadata(m document.Message) truth {
	d := m.Sub("metadata")
	if m.Has("sourcedMetadata") {
		d = m.Sub("sourcedMetadata").Sub("metadataMatcher")
	}
	if a.r.Metadata == nil {
		if f := d.Text("filter"); strings.Contains(f, "jwt") || f == "istio_authn" {
			return a.notKnown("claims of a JWT")
		}
		return a.notKnown("dynamic metadata of " + d.Text("filter"))
	}
	return a.holds(func() bool { return a.metadata(d, a.r.Metadata) != d.Flag("invert") })
}

// authenticated evaluates a condition on the identity that mutual TLS has
// verified.
func (a *rules) authenticated(m document.Message) truth {
	if !m.Has("principalName") {
		return sure(a.r.TLS)
	}
	if !a.r.TLS { // a connection in a tunnel doesn't have the certificate of the tunnel's client
		return no
	}
	return a.identity(m.Sub("principalName"))
}

func (a *rules) identity(m document.Message) truth {
	if !a.r.TLS && !a.r.Tunnelled {
		return no // a client without a certificate has no identity
	}
	if a.r.Principal == "" {
		return a.notKnown(Identity)
	}
	a.comparing = "the client's identity"
	return a.holds(func() bool { return a.stringMatch(m, a.r.Principal) })
}

func (a *rules) within(cidr document.Message, address, what string) truth {
	addr, err := netip.ParseAddr(address)
	if err != nil {
		return a.notKnown(what)
	}
	p, ok := PrefixOf(cidr)
	return sure(ok && p.Contains(addr.Unmap()))
}
