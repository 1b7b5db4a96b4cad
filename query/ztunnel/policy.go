package ztunnel

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/query/document"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// Connection is a connection that arrives at a workload.
type Connection struct {
	Source      netip.Addr // the client's address; not valid if it isn't known
	Destination netip.Addr // the workload's address; not valid if it isn't known
	Port        int        // the workload's port

	// Identity is the SPIFFE identity in the client's certificate. It is empty if
	// the client presents no certificate, or if its identity isn't known.
	Identity        string
	IdentityUnknown bool
}

// A Verdict is what a ztunnel's policies of one action decide about a connection.
type Verdict struct {
	Namespace, Name string // the policy that decides; empty if none of the policies matches
	Action          string // ALLOW, DENY, or the action that the dump has
	Denied          bool
	DryRun          bool   // the verdict of a policy in dry-run mode, which a ztunnel only logs
	Unknown         string // the fact that the verdict depends on and that isn't known; if it is set, Denied has no meaning
}

// These are the values of [Verdict.Unknown] that are about the connection. All
// others are about a form of the dump that the package doesn't know.
const (
	UnknownIdentity    = "the client's identity"
	UnknownSource      = "the client's address"
	UnknownDestination = "the workload's address"
)

// Authorization is the decision about a connection.
type Authorization struct {
	Verdicts []Verdict

	// Skipped lists policies as "namespace/name": the workload refers to them, and
	// the ztunnel doesn't have them. A ztunnel skips such a policy, and logs that.
	Skipped []string
}

// Authorize decides a connection to a workload by the policies of a ztunnel, as
// assert_rbac in ztunnel's state.rs does. The policies that apply are those of the
// whole mesh, those of the workload's namespace, and those to which the workload
// refers. A DENY policy that matches denies the connection. Otherwise, if there
// are ALLOW policies, one of them must match. A policy in dry-run mode never
// decides.
//
// There is one verdict for each action that has policies, and one for each policy
// in dry-run mode that matches or may match. Only r.Err reports errors.
func Authorize(r *document.Reader, policies []any, workload any, c Connection) Authorization {
	own := r.Message(workload)
	a := &authorizer{connection: c}
	known := map[string]bool{}
	for _, v := range policies {
		p := a.policy(r.Message(r.Deep(v)))
		known[p.key()] = true
		if p.applies(own.Text("namespace"), own.Texts("authorizationPolicies")) {
			a.add(p)
		}
	}
	out := Authorization{Verdicts: a.verdicts()}
	for _, key := range own.Texts("authorizationPolicies") {
		if !known[key] {
			out.Skipped = append(out.Skipped, key)
		}
	}
	return out
}

// truth is the value of a condition: no, yes, or the unknown fact on which it
// depends.
type truth struct {
	is      state
	unknown string // the fact, if is is maybe
}

// state orders the values of a condition, so that min and max are "and" and "or".
type state int

const (
	no state = iota
	maybe
	yes
)

func sure(b bool) truth {
	if b {
		return truth{is: yes}
	}
	return truth{is: no}
}

func notKnown(what string) truth { return truth{maybe, what} }

func (t truth) and(other truth) truth {
	if other.is < t.is {
		return other
	}
	return t
}

func (t truth) or(other truth) truth {
	if other.is > t.is {
		return other
	}
	return t
}

func (t truth) negated() truth { return truth{yes - t.is, t.unknown} }

// policy is a policy of the dump, and whether it matches the connection.
type policy struct {
	namespace, name, scope, action string
	dryRun                         state
	matches                        truth
}

func (p policy) key() string { return p.namespace + "/" + p.name }

// applies reports whether a policy applies to a workload of a namespace that
// refers to some policies. A policy whose scope isn't known may apply, and so its
// match isn't known.
func (p *policy) applies(namespace string, named []string) bool {
	switch p.scope {
	case "Global":
		return true
	case "Namespace":
		return p.namespace == namespace || slices.Contains(named, p.key())
	case "WorkloadSelector":
		return slices.Contains(named, p.key())
	}
	p.matches = p.matches.and(notKnown("the scope " + p.scope))
	return true
}

// verdict returns the verdict of a policy that matches or may match.
func (p policy) verdict() Verdict {
	v := Verdict{Namespace: p.namespace, Name: p.name, Action: strings.ToUpper(p.action), Denied: p.action == "Deny", DryRun: p.dryRun == yes}
	if p.matches.is == maybe {
		v.Unknown = p.matches.unknown
	}
	return v
}

// authorizer evaluates policies for one connection.
type authorizer struct {
	connection Connection

	deny, allow, dryDeny, dryAllow, other []policy
}

// add adds a policy to those with its action. A policy of which it isn't known
// whether it is in dry-run mode may decide.
func (a *authorizer) add(p policy) {
	if p.dryRun == maybe {
		p.matches = p.matches.and(notKnown("the dry-run mode of the policy"))
	}
	list := &a.other
	switch {
	case p.action == "Deny" && p.dryRun == yes:
		list = &a.dryDeny
	case p.action == "Deny":
		list = &a.deny
	case p.action == "Allow" && p.dryRun == yes:
		list = &a.dryAllow
	case p.action == "Allow":
		list = &a.allow
	}
	*list = append(*list, p)
}

// verdicts returns the verdicts in the order in which a ztunnel decides.
func (a *authorizer) verdicts() []Verdict {
	out := matching(a.dryDeny)
	if len(a.deny) > 0 {
		v, denied := decide(a.deny, "DENY")
		if out = append(out, v); denied {
			return out
		}
	}
	for _, p := range a.other {
		p.matches = p.matches.and(notKnown("the action " + p.action))
		out = append(out, matching([]policy{p})...)
	}
	dry := matching(a.dryAllow)
	if len(dry) == 0 && len(a.dryAllow) > 0 && len(a.allow) == 0 { // a ztunnel logs that the connection would be denied
		dry = []Verdict{{Action: "ALLOW", Denied: true, DryRun: true}}
	}
	out = append(out, dry...)
	if len(a.allow) > 0 {
		v, _ := decide(a.allow, "ALLOW")
		out = append(out, v)
	}
	return out
}

func matching(policies []policy) (out []Verdict) {
	for _, p := range policies {
		if p.matches.is != no {
			out = append(out, p.verdict())
		}
	}
	return out
}

// decide returns the verdict of the enforced policies of an action, and whether a
// policy certainly matches.
func decide(policies []policy, action string) (v Verdict, matched bool) {
	v = Verdict{Action: action, Denied: action == "ALLOW"}
	for _, p := range policies {
		switch {
		case p.matches.is == yes:
			return p.verdict(), true
		case p.matches.is == maybe && v.Unknown == "":
			v = p.verdict()
		}
	}
	return v, false
}

// policy reads a policy and evaluates its rules.
func (a *authorizer) policy(m document.Message) policy {
	p := policy{namespace: m.Text("namespace"), name: m.Text("name"), scope: m.Text("scope"), action: m.Text("action")}
	switch v := m.Value("dryRun").(type) { // older ztunnels don't write it
	case nil, bool:
		p.dryRun = sure(v == true).is
	default:
		p.dryRun = maybe
	}
	p.matches = a.anyOf(m.Value("rules"), "the rules of the policy", a.rule)
	return p
}

// list returns the elements of a list. ok is false if v is anything else.
func list(v any) (all []any, ok bool) {
	all, ok = v.([]any)
	return all, ok || v == nil
}

// anyOf reports whether a condition is true for an element of a list. what names
// the list, in case it is of another form.
func (a *authorizer) anyOf(v any, what string, holds func(any) truth) truth {
	all, ok := list(v)
	if !ok {
		return notKnown(what)
	}
	out := sure(false)
	for _, e := range all {
		out = out.or(holds(e))
	}
	return out
}

// rule reports whether all clauses of a rule match. A clause is a list of matches,
// of which one must match. A clause without matches always does.
func (a *authorizer) rule(v any) truth {
	clauses, ok := list(v)
	if !ok {
		return notKnown("a rule of the policy")
	}
	out := sure(true)
	for _, clause := range clauses {
		if matches, ok := list(clause); !ok || len(matches) > 0 {
			out = out.and(a.anyOf(clause, "a clause of the policy", a.match))
		}
	}
	return out
}

// conditions are the members of a match that a ztunnel knows. Each has a negated
// member, such as notPrincipals, too.
var conditions = map[string]func(*authorizer, any) truth{
	"namespaces":       func(a *authorizer, v any) truth { return a.text(v, a.namespace) },
	"principals":       func(a *authorizer, v any) truth { return a.text(v, a.principal) },
	"serviceAccounts":  (*authorizer).serviceAccount,
	"sourceIps":        func(a *authorizer, v any) truth { return a.network(v, a.connection.Source, UnknownSource) },
	"destinationIps":   func(a *authorizer, v any) truth { return a.network(v, a.connection.Destination, UnknownDestination) },
	"destinationPorts": (*authorizer).port,
}

// match reports whether the connection meets all conditions of a match. A match
// without conditions doesn't match.
func (a *authorizer) match(v any) truth {
	m, ok := v.(*object.Object)
	if !ok {
		return notKnown("a match of the policy")
	}
	out, isEmpty := sure(true), true
	for _, key := range m.Sorted() {
		all, ok := list(m.Get(key))
		if ok && len(all) == 0 {
			continue
		}
		isEmpty = false
		name, negated := key, false
		if conditions[key] == nil {
			if rest, ok := strings.CutPrefix(key, "not"); ok && rest != "" {
				name, negated = strings.ToLower(rest[:1])+rest[1:], true
			}
		}
		holds := conditions[name]
		if holds == nil || !ok {
			out = out.and(notKnown("the condition " + key))
			continue
		}
		one := a.anyOf(m.Get(key), "", func(v any) truth { return holds(a, v) })
		if negated {
			one = one.negated()
		}
		out = out.and(one)
	}
	if isEmpty {
		return sure(false)
	}
	return out
}

// principal returns the identity without its scheme. ok is false if the client has
// none.
func (a *authorizer) principal() (s string, ok bool) {
	return strings.CutPrefix(a.connection.Identity, "spiffe://")
}

// namespace returns the namespace in the identity. It is empty if the client has
// no identity; a ztunnel compares the empty text, too.
func (a *authorizer) namespace() (s string, ok bool) {
	namespace, _ := identity(a.connection.Identity)
	return namespace, true
}

// identity splits an Istio identity, "spiffe://cluster.local/ns/shop/sa/web". Both
// results are empty if it has another form: a ztunnel takes such a client for one
// without an identity.
func identity(s string) (namespace, serviceAccount string) {
	words := strings.Split(s, "/")
	if len(words) != 7 || words[0] != "spiffe:" || words[3] != "ns" || words[5] != "sa" {
		return "", ""
	}
	return words[4], words[6]
}

// text reports whether a text of the client's identity matches: {"Exact": "a"},
// {"Prefix": "a"}, {"Suffix": "a"} or {"Presence": []}, as Rust's serde writes the
// variants of ztunnel's StringMatch.
func (a *authorizer) text(v any, of func() (string, bool)) truth {
	m, _ := v.(*object.Object)
	if m.Len() != 1 {
		return notKnown("a text match of the policy")
	}
	form := m.Sorted()[0]
	want, isText := m.Get(form).(string)
	if form != "Presence" && !isText || !slices.Contains([]string{"Exact", "Prefix", "Suffix", "Presence"}, form) {
		return notKnown("the text match " + form)
	}
	if a.connection.IdentityUnknown {
		return notKnown(UnknownIdentity)
	}
	s, ok := of()
	switch form {
	case "Exact":
		ok = ok && s == want
	case "Prefix":
		ok = ok && strings.HasPrefix(s, want)
	case "Suffix":
		ok = ok && strings.HasSuffix(s, want)
	default:
		ok = ok && s != ""
	}
	return sure(ok)
}

func (a *authorizer) serviceAccount(v any) truth {
	m, _ := v.(*object.Object)
	namespace, isText := m.Get("namespace").(string)
	account, hasAccount := m.Get("serviceAccount").(string)
	if m.Len() != 2 || !isText || !hasAccount {
		return notKnown("a service account of the policy")
	}
	if a.connection.IdentityUnknown {
		return notKnown(UnknownIdentity)
	}
	ns, sa := identity(a.connection.Identity)
	return sure(sa != "" && ns == namespace && sa == account)
}

func (a *authorizer) network(v any, addr netip.Addr, what string) truth {
	s, _ := v.(string)
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return notKnown("a network of the policy")
	}
	if !addr.IsValid() {
		return notKnown(what)
	}
	return sure(p.Contains(addr.Unmap()))
}

func (a *authorizer) port(v any) truth {
	n, ok := integer(v)
	if !ok {
		return notKnown("a port of the policy")
	}
	return sure(n == a.connection.Port)
}
