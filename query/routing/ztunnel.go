package routing

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/query/document"
)

// Connection decides a connection by authorization policies in the form of a
// ztunnel's config dump. A DENY policy that matches denies the connection.
// Otherwise, if there are ALLOW policies, one of them must match. The policies
// that apply are the policies of the whole mesh, those of the workload's
// namespace, and those that the workload names. Connection returns one verdict for
// each action that has policies. The verdict names a policy that matches or may
// match; it names no policy if none matches.
func Connection(ctx context.Context, policies []any, workload any, r Request) ([]Verdict, error) {
	c := newChoice(ctx, &Cache{}, Envoy{})
	own := c.Message(workload)
	var out []Verdict
	for _, action := range []string{"Deny", "Allow"} {
		said, decided := c.decideByAction(c.applicablePolicies(policies, own, action), strings.ToUpper(action), r)
		if out = append(out, said...); decided {
			break
		}
	}
	return out, c.Err
}

// applicablePolicies returns the policies of an action that apply to a
// workload.
func (c *choice) applicablePolicies(policies []any, workload document.Message, action string) (some []document.Message) {
	namespace, named := workload.Text("namespace"), workload.Texts("authorizationPolicies")
	for _, p := range policies {
		m := c.Message(p)
		if !strings.EqualFold(m.Text("action"), action) {
			continue
		}
		switch m.Text("scope") {
		case "Global":
		case "Namespace":
			if m.Text("namespace") != namespace {
				continue
			}
		default:
			if !slices.Contains(named, m.Text("namespace")+"/"+m.Text("name")) {
				continue
			}
		}
		some = append(some, m)
	}
	return some
}

// decideByAction evaluates the policies with one action. decided is true if the
// connection is certainly denied, so that other policies don't matter.
func (c *choice) decideByAction(policies []document.Message, action string, r Request) (out []Verdict, decided bool) {
	if len(policies) == 0 {
		return nil, false
	}
	open := Verdict{Action: action, Denied: action == "ALLOW"}
	for _, p := range policies {
		a := &rules{choice: c, r: &routed{Request: r}}
		name := "ns[" + p.Text("namespace") + "]-policy[" + p.Text("name") + "]"
		switch a.matchesPolicy(p) {
		case yes:
			return []Verdict{{Policy: name, Action: action, Denied: action == "DENY"}}, action == "DENY"
		case maybe:
			open = Verdict{Policy: name, Action: action, Unknown: a.unknown}
		}
	}
	return []Verdict{open}, false
}

// matchesPolicy reports whether a policy matches. A policy matches if one of its
// rules matches. A rule matches if each of its clauses has a match. A policy
// without rules doesn't match.
func (a *rules) matchesPolicy(policy document.Message) truth {
	out := no
	for _, rule := range a.nested(policy.Value("rules")) {
		of := yes
		for _, clause := range a.nested(rule) {
			one := no
			for _, m := range a.nested(clause) {
				one = max(one, a.matchesConnection(a.Message(m)))
			}
			of = min(of, one)
		}
		out = max(out, of)
	}
	return out
}

func (a *rules) nested(v any) []any {
	list, _ := a.Force(v).([]any)
	return list
}

// matchesConnection reports whether a connection meets all conditions of a match.
// A match is one alternative in a clause of a policy's rule.
func (a *rules) matchesConnection(m document.Message) truth {
	if m.Fields.Len() == 0 {
		return no
	}
	out := yes
	for _, of := range []struct {
		field string
		fits  func(any) truth
	}{
		{"destinationIps", func(v any) truth { return a.inNetwork(v, a.r.Destination, "the destination's address") }},
		{"sourceIps", func(v any) truth { return a.inNetwork(v, a.r.Source, "the source's address") }},
		{"destinationPorts", func(v any) truth { n, _ := numeric(v); return sure(int(n) == a.r.DestinationPort) }},
		{"principals", func(v any) truth { return a.matchesString(v, "") }},
		{"namespaces", func(v any) truth { return a.matchesString(v, "ns") }},
		{"serviceAccounts", a.matchesAccount},
	} {
		out = min(out, a.matchesList(m, of.field, of.fits))
	}
	return out
}

// matchesList compares a connection with a list of conditions and with the list of
// negated conditions; "notPrincipals" is the negated list for "principals". It
// reports whether fits is true for at least one element of the first list and for
// no element of the second one. An empty list is ignored.
func (a *rules) matchesList(m document.Message, field string, fits func(any) truth) truth {
	out := yes
	if all := a.nested(m.Value(field)); len(all) > 0 {
		one := no
		for _, v := range all {
			one = max(one, fits(a.Force(v)))
		}
		out = one
	}
	for _, v := range a.nested(m.Value("not" + strings.ToUpper(field[:1]) + field[1:])) {
		out = min(out, yes-fits(a.Force(v)))
	}
	return out
}

func (a *rules) inNetwork(v any, address, what string) truth {
	addr, err := netip.ParseAddr(address)
	if err != nil {
		return a.notKnown(what)
	}
	s, _ := v.(string)
	p, err := netip.ParsePrefix(s)
	return sure(err == nil && p.Contains(addr.Unmap()))
}

// identityPart returns a part of the client's identity, "ns" or "sa", or the whole
// identity without its scheme if part is empty. known is no if the client has no
// identity, and maybe if its identity isn't known.
func (a *rules) identityPart(part string) (s string, known truth) {
	if a.r.Principal == "" {
		if a.r.TLS || a.r.Tunnelled {
			return "", a.notKnown(Identity)
		}
		return "", no
	}
	id := strings.TrimPrefix(a.r.Principal, "spiffe://")
	if part == "" {
		return id, yes
	}
	words := strings.Split(id, "/")
	for i := range words[:len(words)-1] {
		if words[i] == part {
			return words[i+1], yes
		}
	}
	return "", no
}

// matchesString reports whether a part of the client's identity matches one of
// ztunnel's string matches: {exact}, {prefix}, {suffix} or {presence}.
func (a *rules) matchesString(v any, part string) truth {
	s, known := a.identityPart(part)
	if known != yes {
		return known
	}
	m := a.Message(v)
	trim := func(k string) string { return strings.TrimPrefix(m.Text(k), "spiffe://") }
	switch {
	case m.Fields == nil:
		text, _ := v.(string)
		return sure(s == strings.TrimPrefix(text, "spiffe://"))
	case m.Has("prefix"):
		return sure(strings.HasPrefix(s, trim("prefix")))
	case m.Has("suffix"):
		return sure(strings.HasSuffix(s, trim("suffix")))
	case m.Has("exact"):
		return sure(s == trim("exact"))
	}
	return yes // a {presence} match accepts any string
}

func (a *rules) matchesAccount(v any) truth {
	namespace, known := a.identityPart("ns")
	if known != yes {
		return known
	}
	name, _ := a.identityPart("sa")
	m := a.Message(v)
	return sure(namespace == m.Text("namespace") && name == m.Text("serviceAccount"))
}
