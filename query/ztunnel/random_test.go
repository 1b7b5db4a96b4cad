package ztunnel

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/query/document"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// The types below are a second reading of ztunnel's policies, written from Istio's
// page on AuthorizationPolicy and from the documentation of istio.security in
// ztunnel's proto/authorization.proto, not from this package. The page says: DENY
// policies are evaluated first, then ALLOW policies; without an ALLOW policy the
// request is allowed; an ALLOW policy without rules matches nothing. The proto says:
// rules are OR-ed, clauses of a rule AND-ed, matches of a clause OR-ed, the fields of
// a match AND-ed, and the values of a field OR-ed.

type testPolicy struct {
	Name, Namespace, Scope, Action string
	DryRun                         bool
	Rules                          [][][]map[string][]testValue
}

// testValue is a value of a field: a form such as Exact and its text, or a network, a
// port, or a service account.
type testValue struct {
	form, text string
	port       int
}

func (v testValue) MarshalJSON() ([]byte, error) {
	switch v.form {
	case "port":
		return json.Marshal(v.port)
	case "network":
		return json.Marshal(v.text)
	case "account":
		namespace, name, _ := strings.Cut(v.text, "/")
		return json.Marshal(map[string]string{"namespace": namespace, "serviceAccount": name})
	case "Presence":
		return []byte(`{"Presence":[]}`), nil
	}
	return json.Marshal(map[string]string{v.form: v.text})
}

func (p testPolicy) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{"name": p.Name, "namespace": p.Namespace, "scope": p.Scope, "action": p.Action, "dryRun": p.DryRun, "rules": p.Rules})
}

// client is a client in the second reading; without a certificate, account is empty.
type client struct {
	domain, namespace, account string
	ip                         netip.Addr
}

func (c client) identity() string {
	if c.account == "" {
		return ""
	}
	return fmt.Sprintf("spiffe://%s/ns/%s/sa/%s", c.domain, c.namespace, c.account)
}

// holds reports whether a field of a match has a value that fits.
func (c client) holds(field string, v testValue, to netip.Addr, port int) bool {
	fits := func(s string) bool {
		return v.form == "Exact" && s == v.text || v.form == "Prefix" && strings.Index(s, v.text) == 0 ||
			v.form == "Suffix" && len(s) >= len(v.text) && s[len(s)-len(v.text):] == v.text || v.form == "Presence" && s != ""
	}
	switch field {
	case "namespaces":
		return fits(c.namespace)
	case "principals":
		return c.account != "" && fits(c.domain+"/ns/"+c.namespace+"/sa/"+c.account)
	case "serviceAccounts":
		return c.account != "" && v.text == c.namespace+"/"+c.account
	case "sourceIps":
		return netip.MustParsePrefix(v.text).Contains(c.ip)
	case "destinationIps":
		return netip.MustParsePrefix(v.text).Contains(to)
	}
	return v.port == port
}

func (p testPolicy) matches(c client, to netip.Addr, port int) bool {
	return slices.ContainsFunc(p.Rules, func(rule [][]map[string][]testValue) bool {
		return !slices.ContainsFunc(rule, func(clause []map[string][]testValue) bool {
			return len(clause) > 0 && !slices.ContainsFunc(clause, func(match map[string][]testValue) bool {
				for field, values := range match {
					positive := strings.ToLower(strings.TrimPrefix(field, "not")[:1]) + strings.TrimPrefix(field, "not")[1:]
					isOne := slices.ContainsFunc(values, func(v testValue) bool { return c.holds(positive, v, to, port) })
					if isOne == strings.HasPrefix(field, "not") {
						return false
					}
				}
				return len(match) > 0
			})
		})
	})
}

// isAllowed decides a connection. named are the policies to which the workload
// refers.
func isAllowed(all []testPolicy, namespace string, named []string, c client, to netip.Addr, port int) bool {
	hasAllow, allowed := false, false
	for _, p := range all {
		applies := p.Scope == "Global" || p.Scope == "Namespace" && p.Namespace == namespace || slices.Contains(named, p.Namespace+"/"+p.Name)
		if !applies || p.DryRun {
			continue
		}
		fits := p.matches(c, to, port)
		if p.Action == "Deny" && fits {
			return false
		}
		hasAllow, allowed = hasAllow || p.Action == "Allow", allowed || p.Action == "Allow" && fits
	}
	return allowed || !hasAllow
}

// generator makes random policies and connections from few values, so that they
// often match.
type generator struct{ *rand.Rand }

func oneOf[T any](g generator, all ...T) T { return all[g.IntN(len(all))] }

func (g generator) client() client {
	c := client{ip: netip.MustParseAddr(oneOf(g, "10.0.0.1", "10.0.1.1", "192.168.0.7", "fd00::1"))}
	if g.IntN(4) > 0 {
		c.domain, c.namespace, c.account = oneOf(g, "cluster.local", "other"), oneOf(g, "shop", "bank"), oneOf(g, "web", "cart")
	}
	return c
}

func (g generator) value(field string) testValue {
	switch {
	case strings.HasSuffix(field, "Ports"):
		return testValue{form: "port", port: oneOf(g, 80, 8080)}
	case strings.HasSuffix(field, "Ips"):
		return testValue{form: "network", text: oneOf(g, "10.0.0.0/24", "10.0.0.1/32", "0.0.0.0/0", "fd00::/8", "::/0")}
	case strings.HasSuffix(field, "erviceAccounts"):
		return testValue{form: "account", text: oneOf(g, "shop/web", "shop/cart", "bank/web")}
	}
	v := testValue{form: oneOf(g, "Exact", "Prefix", "Suffix", "Presence")}
	if v.text = oneOf(g, "shop", "sh", "ank", ""); strings.HasSuffix(field, "rincipals") {
		v.text = oneOf(g, "cluster.local/ns/shop/sa/web", "cluster.local/", "/sa/cart", "other/ns/bank/sa/web", "spiffe://cluster.local/")
	}
	return v
}

func (g generator) match() map[string][]testValue {
	m := map[string][]testValue{}
	for range g.IntN(4) {
		field := oneOf(g, "namespaces", "principals", "serviceAccounts", "sourceIps", "destinationIps", "destinationPorts")
		if g.IntN(3) == 0 {
			field = "not" + strings.ToUpper(field[:1]) + field[1:]
		}
		for range 1 + g.IntN(2) {
			m[field] = append(m[field], g.value(field))
		}
	}
	return m
}

func listOf[T any](g generator, most int, one func() T) []T {
	all := []T{}
	for range g.IntN(most + 1) {
		all = append(all, one())
	}
	return all
}

func (g generator) policy(name string) testPolicy {
	return testPolicy{
		Name: name, Namespace: oneOf(g, "shop", "bank"), Scope: oneOf(g, "Global", "Namespace", "WorkloadSelector"), Action: oneOf(g, "Allow", "Deny"), DryRun: g.IntN(5) == 0,
		Rules: listOf(g, 2, func() [][]map[string][]testValue {
			return listOf(g, 3, func() []map[string][]testValue { return listOf(g, 2, g.match) })
		}),
	}
}

func decode(t *testing.T, v any) any {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := object.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// decision returns whether verdicts deny a connection, and whether that is known.
func decision(all []Verdict) (denied, known bool) {
	known = true
	for _, v := range all {
		switch {
		case v.DryRun:
		case v.Unknown != "":
			known = false
		case v.Denied:
			return true, true
		}
	}
	return false, known
}

// TestRandomPoliciesAreJudgedAsDocumented compares Authorize with the second reading.
// If the client's identity is not known, a certain decision must be the same for each
// client.
func TestRandomPoliciesAreJudgedAsDocumented(t *testing.T) {
	g := generator{rand.New(rand.NewPCG(18, 2026))}
	const rounds = 12000
	seen, certain := map[bool]int{}, 0
	for i := range rounds {
		var policies []testPolicy
		for n := range 1 + g.IntN(4) {
			policies = append(policies, g.policy(fmt.Sprint("p", n)))
		}
		namespace, port := oneOf(g, "shop", "bank"), oneOf(g, 80, 8080)
		to := netip.MustParseAddr(oneOf(g, "10.0.0.1", "10.0.0.9", "fd00::9"))
		var named []string
		for _, p := range policies {
			if g.IntN(2) == 0 {
				named = append(named, p.Namespace+"/"+p.Name)
			}
		}
		list := decode(t, policies).([]any)
		workload := object.Of("namespace", namespace, "authorizationPolicies", decode(t, append(named, "shop/gone")))
		r := document.NewReader(t.Context())
		c := g.client()
		want := isAllowed(policies, namespace, named, c, to, port)
		decided := Authorize(r, list, workload, Connection{Source: c.ip, Destination: to, Port: port, Identity: c.identity()})
		denied, known := decision(decided.Verdicts)
		seen[want]++
		if !known || denied == want || r.Err != nil {
			text, _ := json.Marshal(policies)
			t.Fatalf("round %d: client %s at %s, to %s:%d in %s, named %q: denied %v, known %v, want allowed %v (%v)\n%s", i, c.identity(), c.ip, to, port, namespace, named, denied, known, want, r.Err, text)
		}
		if !slices.Equal(decided.Skipped, []string{"shop/gone"}) {
			t.Fatalf("round %d: skipped %q", i, decided.Skipped)
		}
		denied, known = decision(Authorize(r, list, workload, Connection{Source: c.ip, Destination: to, Port: port, IdentityUnknown: true}).Verdicts)
		if !known {
			continue
		}
		certain++
		for range 20 {
			other := g.client()
			other.ip = c.ip
			if isAllowed(policies, namespace, named, other, to, port) == denied {
				text, _ := json.Marshal(policies)
				t.Fatalf("round %d: without the identity it is certain that denied is %v, and %q decides otherwise\n%s", i, denied, other.identity(), text)
			}
		}
	}
	if seen[true] < rounds/5 || seen[false] < rounds/5 || certain < rounds/5 {
		t.Errorf("only %d are allowed, %d denied, %d certain without an identity", seen[true], seen[false], certain)
	}
}

func decodeText(t *testing.T, text string) []any {
	t.Helper()
	return decode(t, json.RawMessage(text)).([]any)
}
