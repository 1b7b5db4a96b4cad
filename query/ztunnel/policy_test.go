package ztunnel

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/query/document"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// said prints verdicts: "DENY denied by shop/a", "ALLOW unknown (the text match Regex)".
func said(a Authorization) string {
	var parts []string
	for _, v := range a.Verdicts {
		s := v.Action + " allowed"
		if v.Denied {
			s = v.Action + " denied"
		}
		if v.Unknown != "" {
			s = v.Action + " unknown (" + v.Unknown + ")"
		}
		if v.Name != "" {
			s += " by " + v.Namespace + "/" + v.Name
		}
		if v.DryRun {
			s = "dry run: " + s
		}
		parts = append(parts, s)
	}
	for _, key := range a.Skipped {
		parts = append(parts, "skipped "+key)
	}
	return strings.Join(parts, "; ")
}

// TestAuthorizeUnknownForms has forms that no ztunnel writes: they are made by hand,
// to check that none counts as a match.
func TestAuthorizeUnknownForms(t *testing.T) {
	policy := func(rest string) string {
		return `[{"name": "p", "namespace": "shop", "scope": "Namespace", "action": "Allow", ` + rest + `}]`
	}
	for _, c := range []struct{ policies, want string }{
		{policy(`"rules": [[[{"principals": [{"Regex": ".*"}]}]]]`), "ALLOW unknown (the text match Regex) by shop/p"},
		{policy(`"rules": [[[{"principals": [{"exact": "cluster.local/ns/shop/sa/web"}]}]]]`), "ALLOW unknown (the text match exact) by shop/p"},
		{policy(`"rules": [[[{"notPrincipals": [{"Regex": ".*"}]}]]]`), "ALLOW unknown (the text match Regex) by shop/p"},
		{policy(`"rules": [[[{"principals": ["cluster.local/ns/shop/sa/web"]}]]]`), "ALLOW unknown (a text match of the policy) by shop/p"},
		{policy(`"rules": [[[{"sniHosts": [{"Exact": "a"}]}]]]`), "ALLOW unknown (the condition sniHosts) by shop/p"},
		{policy(`"rules": [[[{"notSniHosts": [{"Exact": "a"}]}]]]`), "ALLOW unknown (the condition notSniHosts) by shop/p"},
		{policy(`"rules": [[[{"sniHosts": [{"Exact": "a"}], "destinationPorts": [1]}]]]`), "ALLOW denied"},
		{policy(`"rules": [[[{"destinationPorts": ["80"]}]]]`), "ALLOW unknown (a port of the policy) by shop/p"},
		{policy(`"rules": [[[{"sourceIps": ["10.0.0.0"]}]]]`), "ALLOW unknown (a network of the policy) by shop/p"},
		{policy(`"rules": [[[{"sourceIps": {"prefix": "10.0.0.0/8"}}]]]`), "ALLOW unknown (the condition sourceIps) by shop/p"},
		{policy(`"rules": [[[{"serviceAccounts": [{"name": "web"}]}]]]`), "ALLOW unknown (a service account of the policy) by shop/p"},
		{policy(`"rules": {"a": 1}`), "ALLOW unknown (the rules of the policy) by shop/p"},
		{policy(`"rules": [{"from": []}]`), "ALLOW unknown (a rule of the policy) by shop/p"},
		{policy(`"rules": [[{"from": []}]]`), "ALLOW unknown (a clause of the policy) by shop/p"},
		{policy(`"rules": [[["x"]]]`), "ALLOW unknown (a match of the policy) by shop/p"},
		{policy(`"dryRun": "yes", "rules": [[]]`), "ALLOW unknown (the dry-run mode of the policy) by shop/p"},
		{policy(`"rules": []`), "ALLOW denied"},
		{policy(`"rules": [[]]`), "ALLOW allowed by shop/p"},
		{policy(`"rules": [[[]]]`), "ALLOW allowed by shop/p"},
		{policy(`"rules": [[[{}]]]`), "ALLOW denied"},
		{`[{"name": "p", "namespace": "shop", "scope": "Workload", "action": "Deny", "rules": [[]]}]`, "DENY unknown (the scope Workload) by shop/p"},
		{`[{"name": "p", "namespace": "shop", "scope": "Global", "action": "Audit", "rules": [[]]}]`, "AUDIT unknown (the action Audit) by shop/p"},
		{`[{"name": "p", "namespace": "shop", "scope": "Global", "action": "Audit", "rules": []}]`, ""},
		{`[]`, ""},
	} {
		r := document.NewReader(t.Context())
		var list any
		if err := object.Unmarshal([]byte(c.policies), &list); err != nil {
			t.Fatal(c.policies, err)
		}
		got := said(Authorize(r, list.([]any), object.Of("namespace", "shop"), Connection{
			Source: netip.MustParseAddr("10.0.0.1"), Destination: netip.MustParseAddr("10.0.0.2"), Port: 80, Identity: "spiffe://cluster.local/ns/shop/sa/web",
		}))
		if got != c.want || r.Err != nil {
			t.Errorf("%s\n got %s (%v)\nwant %s", c.policies, got, r.Err, c.want)
		}
	}
}

// TestAuthorizeDryRun has the lines that ztunnel logs for policies in dry-run mode.
func TestAuthorizeDryRun(t *testing.T) {
	policy := func(name, action string, port int) string {
		return fmt.Sprintf(`{"name": %q, "namespace": "shop", "scope": "Namespace", "action": %q, "dryRun": true, "rules": [[[{"destinationPorts": [%d]}]]]}`, name, action, port)
	}
	for _, c := range []struct{ policies, want string }{
		{policy("d", "Deny", 80), "dry run: DENY denied by shop/d"},
		{policy("d", "Deny", 81), ""},
		{policy("a", "Allow", 80), "dry run: ALLOW allowed by shop/a"},
		{policy("a", "Allow", 81), "dry run: ALLOW denied"},
		{policy("d", "Deny", 80) + `, {"name": "e", "namespace": "shop", "scope": "Namespace", "action": "Deny", "rules": [[]]}`, "dry run: DENY denied by shop/d; DENY denied by shop/e"},
	} {
		r := document.NewReader(t.Context())
		var list any
		if err := object.Unmarshal([]byte("["+c.policies+"]"), &list); err != nil {
			t.Fatal(err)
		}
		if got := said(Authorize(r, list.([]any), object.Of("namespace", "shop"), Connection{Port: 80})); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.policies, got, c.want)
		}
	}
}
