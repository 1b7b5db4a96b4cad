package routing

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/query/document"
)

// Connection decides a connection by the authorization policies of a ztunnel,
// as its dump writes them: a policy of denial that fits denies; else one that
// allows has to fit, where there is any. The policies are those of the mesh,
// of the workload's namespace and those that the workload names. Verdicts are
// of those that fit, or may, and of none at all.
func Connection(ctx context.Context, policies []any, workload any, r Request) ([]Verdict, error) {
	c := newChoice(ctx, &Cache{}, Envoy{})
	own := c.Message(workload)
	var out []Verdict
	for _, action := range []string{"Deny", "Allow"} {
		said, decided := c.connection(c.choose(policies, own, action), strings.ToUpper(action), r)
		if out = append(out, said...); decided {
			break
		}
	}
	return out, c.Err
}

// choose gives the policies of an action that are in force for a workload.
func (c *choice) choose(policies []any, workload document.Message, action string) (some []document.Message) {
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

// connection asks the policies of one action. decided tells that the others
// needn't be asked: the connection is denied for certain.
func (c *choice) connection(policies []document.Message, action string, r Request) (out []Verdict, decided bool) {
	if len(policies) == 0 {
		return nil, false
	}
	open := Verdict{Action: action, Denied: action == "ALLOW"}
	for _, p := range policies {
		a := &rules{choice: c, r: &routed{Request: r}}
		name := "ns[" + p.Text("namespace") + "]-policy[" + p.Text("name") + "]"
		switch a.fits(p) {
		case yes:
			return []Verdict{{Policy: name, Action: action, Denied: action == "DENY"}}, action == "DENY"
		case maybe:
			open = Verdict{Policy: name, Action: action, Unknown: a.unknown}
		}
	}
	return []Verdict{open}, false
}

// fits tells whether a policy's rules fit: one of them, whose clauses all do,
// each by one of its matches. Without rules none does.
func (a *rules) fits(policy document.Message) truth {
	out := no
	for _, rule := range a.nested(policy.Value("rules")) {
		of := yes
		for _, clause := range a.nested(rule) {
			one := no
			for _, m := range a.nested(clause) {
				one = max(one, a.connects(a.Message(m)))
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

// connects tells whether one match fits the connection, in all that it asks.
func (a *rules) connects(m document.Message) truth {
	if m.Fields.Len() == 0 {
		return no
	}
	out := yes
	for _, of := range []struct {
		field string
		fits  func(any) truth
	}{
		{"destinationIps", func(v any) truth { return a.among(v, a.r.Destination, "the destination's address") }},
		{"sourceIps", func(v any) truth { return a.among(v, a.r.Source, "the source's address") }},
		{"destinationPorts", func(v any) truth { n, _ := numeric(v); return sure(int(n) == a.r.DestinationPort) }},
		{"principals", func(v any) truth { return a.peer(v, "") }},
		{"namespaces", func(v any) truth { return a.peer(v, "ns") }},
		{"serviceAccounts", a.account},
	} {
		out = min(out, a.listed(m, of.field, of.fits))
	}
	return out
}

// listed tells whether a field's list has one that fits, and the list of what
// may not be, "notPrincipals" of "principals", none.
func (a *rules) listed(m document.Message, field string, fits func(any) truth) truth {
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

func (a *rules) among(v any, address, what string) truth {
	addr, err := netip.ParseAddr(address)
	if err != nil {
		return a.notKnown(what)
	}
	s, _ := v.(string)
	p, err := netip.ParsePrefix(s)
	return sure(err == nil && p.Contains(addr.Unmap()))
}

// identified gives a part of the client's identity, "ns" or "sa", or all of it
// without its scheme, and whether it is known.
func (a *rules) identified(part string) (s string, known truth) {
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

// peer compares with one of ztunnel's matches of text: {exact}, {prefix},
// {suffix} or {presence}.
func (a *rules) peer(v any, part string) truth {
	s, known := a.identified(part)
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
	return yes // presence
}

func (a *rules) account(v any) truth {
	namespace, known := a.identified("ns")
	if known != yes {
		return known
	}
	name, _ := a.identified("sa")
	m := a.Message(v)
	return sure(namespace == m.Text("namespace") && name == m.Text("serviceAccount"))
}
