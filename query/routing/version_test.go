package routing

import (
	"context"
	"strings"
	"testing"
)

// TestRulesStartAtTheirRelease checks each rule that has changed between
// versions: in a version before the change, in a version after it, in each branch
// that has the rule, and with an unknown version.
func TestRulesStartAtTheirRelease(t *testing.T) {
	for _, c := range []struct {
		is              rule
		having, lacking string
	}{
		{headersAlone, "1.39.0 1.39.1-dev 1.40.0", "1.38.4 1.36.5 1.9.0"},
		{rbacHeadersAlone, "1.38.0 1.37.1 1.37.2-dev 1.36.5 1.36.10 1.35.9 1.41.0", "1.37.0 1.36.4 1.35.8 1.34.12"},
		{latin1Regexes, "1.40.0 1.39.1 1.39.3 1.38.4 1.37.6 1.36.10", "1.39.0 1.38.3 1.37.5 1.36.9 1.35.12"},
		{asterisks, "1.35.0", "1.34.9"},
		{explicitInternal, "1.33.0", "1.32.0"},
	} {
		for _, v := range strings.Fields(c.having) {
			if got := version(v).has(c.is); got != yes {
				t.Errorf("%s: %s: %v", c.is.what, v, got)
			}
		}
		for _, v := range strings.Fields(c.lacking) {
			if got := version(v).has(c.is); got != no {
				t.Errorf("%s: %s: %v", c.is.what, v, got)
			}
		}
	}
	for _, v := range []string{"", "1.39", "unknown", "2.0.0", "1.37.1-dev"} {
		if got := version(v).has(rbacHeadersAlone); got != maybe {
			t.Errorf("%q: %v", v, got)
		}
	}
	off := func(string) (any, bool) { return false, true }
	for v, want := range map[string]truth{"1.38.0": no, "1.40.0": no, "": no, "1.30.0": no} {
		if got := (Envoy{Version: version(v).Version, Runtime: off}).has(rbacHeadersAlone); got != want {
			t.Errorf("%q, turned off: %v", v, got)
		}
	}
	// Envoy 1.40 has removed the flag
	for v, want := range map[string]truth{"1.39.0": no, "1.40.0": yes, "": maybe, "1.30.0": no} {
		if got := (Envoy{Version: version(v).Version, Runtime: off}).has(shorterPrefixes); got != want {
			t.Errorf("%q, turned off, of old: %v", v, got)
		}
	}
}

func version(v string) Envoy { return Envoy{Version: func() string { return v }} }

// TestRulesDependOnVersion checks the results of rules that have changed. The
// result is "?" if it depends on the version and the version is unknown.
func TestRulesDependOnVersion(t *testing.T) {
	two := [][2]string{{"x", "v"}, {"x", "w"}}
	alone, both := `{"prefix": "/", "headers": [{"name": "x", "stringMatch": {"exact": "v"}}]}`, `{"prefix": "/", "headers": [{"name": "x", "stringMatch": {"exact": "v,w"}}]}`
	for _, c := range []struct {
		version, match string
		r              Request
		want           string
	}{
		{"1.39.0", alone, Request{Headers: two}, "yes"},
		{"1.38.2", alone, Request{Headers: two}, "no"},
		{"1.38.2", both, Request{Headers: two}, "yes"},
		{"1.39.0", both, Request{Headers: two}, "no"},
		{"", both, Request{Headers: two}, "?"},
		{"", alone, Request{Headers: two[:1]}, "yes"},
		{"1.39.1", `{"safeRegex": {"regex": "/.."}}`, Request{Path: "/é"}, "yes"},
		{"1.39.0", `{"safeRegex": {"regex": "/.."}}`, Request{Path: "/é"}, "no"},
		{"1.39.0", `{"safeRegex": {"regex": "/."}}`, Request{Path: "/é"}, "yes"},
		{"", `{"safeRegex": {"regex": "/."}}`, Request{Path: "/é"}, "?"},
		{"", `{"safeRegex": {"regex": "/."}}`, Request{Path: "/e"}, "yes"},
		{"1.38.4", `{"path": "/a/b"}`, Request{Path: "/a;x/b"}, "yes"},
		{"1.38.3", `{"path": "/a/b"}`, Request{Path: "/a;x/b"}, "no"},
		{"1.38.3", `{"path": "/a"}`, Request{Path: "/a;x/b"}, "yes"},
		{"1.33.0", `{"prefix": "/", "queryParameters": [{"name": "q", "presentMatch": false}]}`, Request{}, "no"},
		{"1.34.0", `{"prefix": "/", "queryParameters": [{"name": "q", "presentMatch": false}]}`, Request{}, "yes"},
		{"1.34.0", `{"pathMatchPolicy": {"typedConfig": {"pathTemplate": "/*"}}}`, Request{Path: "/a*"}, "no"},
		{"1.35.0", `{"pathMatchPolicy": {"typedConfig": {"pathTemplate": "/*"}}}`, Request{Path: "/a*"}, "yes"},
	} {
		rc := value(t, `{"ignorePathParametersInPathMatching": true, "virtualHosts": [{"name": "v", "domains": ["*"], "routes": [{"match": `+c.match+`, "route": {"cluster": "c"}}]}]}`)
		if c.r.Path == "" {
			c.r.Path = "/"
		}
		a, err := Configuration(context.Background(), &Cache{}, rc, HCM{Envoy: version(c.version)}, c.r)
		got := map[bool]string{true: "yes", false: "no"}[a.Cluster == "c"]
		if len(a.Unsupported) > 0 {
			got = "?"
		}
		if err != nil || got != c.want {
			t.Errorf("%q %s: %s, want %s (%v)", c.version, c.match, got, c.want, err)
		}
	}
}

// TestRBACVersions checks the rules for RBAC that changed between versions: the
// rules for repeated headers and for path parameters.
func TestRBACVersions(t *testing.T) {
	header := `{"header": {"name": "x", "stringMatch": {"exact": "v"}}}`
	path := `{"urlPath": {"path": {"exact": "/admin"}}}`
	two := Request{Path: "/", Headers: [][2]string{{"x", "v"}, {"x", "w"}}}
	for _, c := range []struct {
		version, permission string
		r                   Request
		want                string
	}{
		{"1.37.0", header, two, "allowed"},
		{"1.37.1", header, two, "denied"},
		{"1.38.2", header, two, "denied"},
		{"1.37.1-dev", header, two, "?"},
		{"", header, two, "?"},
		{"", header, Request{Path: "/", Headers: two.Headers[:1]}, "denied"},
		{"1.38.3", path, Request{Path: "/admin;x"}, "allowed"},
		{"1.38.4", path, Request{Path: "/admin;x"}, "denied"},
		{"", path, Request{Path: "/admin;x"}, "?"},
	} {
		x := newChoice(context.Background(), &Cache{}, version(c.version))
		x.ignoreParameters = true
		all := x.rbac(x.Message(value(t, `{"rules": {"action": "DENY", "policies": {"p": {"permissions": [`+c.permission+`], "principals": [{"any": true}]}}}}`)), &routed{c.r, c.r.headers()})
		got := "allowed"
		switch {
		case all[0].Unknown != "":
			got = "?"
		case all[0].Denied:
			got = "denied"
		}
		if got != c.want || len(x.answer.Unsupported) > 0 {
			t.Errorf("%q %s: %s, want %s %v", c.version, c.permission, got, c.want, x.answer.Unsupported)
		}
	}
}

// TestRBACCutsNothingWithoutRoute checks that RBAC keeps path parameters if no
// route was selected, because the setting to ignore them comes from the route.
func TestRBACCutsNothingWithoutRoute(t *testing.T) {
	for routes, want := range map[string]bool{
		`[]`: false,
		`[{"match": {"prefix": "/"}, "route": {"cluster": "c"}}]`: true,
	} {
		config := value(t, `{"ignorePathParametersInPathMatching": true, "virtualHosts": [{"name": "v", "domains": ["*"], "routes": `+routes+`}]}`)
		a, err := Configuration(t.Context(), &Cache{}, config, HCM{Envoy: version("1.40.0")}, Request{Host: "h", Path: "/admin;x", Method: "GET"})
		if err != nil {
			t.Fatal(err)
		}
		rbac := a.choice.Message(value(t, `{"rules": {"action": "DENY", "policies": {"p": {"permissions": [{"urlPath": {"path": {"exact": "/admin"}}}], "principals": [{"any": true}]}}}}`))
		if got := a.choice.rbac(rbac, a.asked)[0].Denied; got != want {
			t.Errorf("routes %s: denied %t", routes, got)
		}
	}
}

// TestSureReportsKnownDoubtsAgain checks that an RBAC condition is unknown if it
// depends on an unknown value that the evaluation of routes has already
// reported.
func TestSureReportsKnownDoubtsAgain(t *testing.T) {
	x := newChoice(context.Background(), &Cache{}, version(""))
	x.unsupported(rbacHeadersAlone.unknown())
	r := Request{Path: "/", Headers: [][2]string{{"x", "v"}, {"x", "w"}}}
	header := x.Message(value(t, `{"name": "x", "stringMatch": {"exact": "v"}}`))
	if got := x.sure(func() bool { return x.header(header, r.headers(), rbacHeadersAlone) }); got != maybe {
		t.Errorf("%v, want maybe", got)
	}
	if len(x.answer.Unsupported) != 1 {
		t.Errorf("the answer's doubts are %q", x.answer.Unsupported)
	}
}
