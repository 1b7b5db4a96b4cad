package routing

import (
	"testing"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// TestDigestsDecideWholeTextsOnly checks comparisons with a redacted value. Such a
// comparison has a result only if it compares the whole text and the digest of the
// request's text is known. Otherwise it must be unknown whether the condition is
// met.
func TestDigestsDecideWholeTextsOnly(t *testing.T) {
	const is, other = "redacted:0123456789abcdef", "redacted:fedcba9876543210"
	configuration := func(match string) any {
		var v any
		err := object.Unmarshal([]byte(`{"virtualHosts": [{"name": "v", "domains": ["*"], "routes": [
			{"match": {"prefix": "/", `+match+`}, "route": {"cluster": "secret"}}, {"match": {"prefix": "/"}, "route": {"cluster": "plain"}}]}]}`), &v)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	header := func(m string) string { return `"headers": [{"name": "Authorization", ` + m + `}]` }
	for _, c := range []struct{ match, known, cluster, undecided string }{
		{header(`"stringMatch": {"exact": "` + is + `"}`), is, "secret", ""},
		{header(`"stringMatch": {"exact": "` + other + `"}`), is, "plain", ""},
		{header(`"stringMatch": {"exact": "` + other + `"}, "invertMatch": true`), is, "secret", ""},
		{header(`"stringMatch": {"exact": "` + is + `"}`), "", "", "header authorization (its value is redacted)"},
		{header(`"stringMatch": {"exact": "` + is + `"}, "invertMatch": true`), "", "", "header authorization (its value is redacted)"},
		{header(`"stringMatch": {"prefix": "` + is + `"}`), is, "", "header authorization (its value is redacted)"},
		{header(`"stringMatch": {"safeRegex": {"regex": "` + is + `"}}`), is, "", "header authorization (its value is redacted)"},
		{header(`"stringMatch": {"exact": "` + other + `", "ignoreCase": true}`), is, "", "header authorization (its value is redacted)"},
		{header(`"exactMatch": "` + is + `"`), is, "secret", ""},
		{header(`"exactMatch": "` + is + `"`), "", "", "header authorization (its value is redacted)"},
		{header(`"safeRegexMatch": {"regex": "` + is + `"}`), is, "", "header authorization (its value is redacted)"},
		{`"headers": [{"name": "x-missing", "stringMatch": {"exact": "` + is + `"}}]`, "", "plain", ""},
		{`"headers": [{"name": "x-missing", "presentMatch": true}, {"name": "authorization", "stringMatch": {"exact": "` + is + `"}}]`, "", "plain", ""},
		{`"queryParameters": [{"name": "k", "stringMatch": {"exact": "` + is + `"}}]`, is, "secret", ""},
		{`"queryParameters": [{"name": "k", "stringMatch": {"exact": "` + is + `"}}]`, "", "", "query parameter k (its value is redacted)"},
	} {
		r := Request{Method: "GET", Scheme: "http", Host: "h", Path: "/?k=t0ken", Headers: [][2]string{{"authorization", "t0ken"}}}
		if c.known != "" {
			r.Digests = map[string]string{"t0ken": c.known}
		}
		a, err := Configuration(t.Context(), &Cache{}, configuration(c.match), HCM{}, r)
		if err != nil || a.Cluster != c.cluster || a.Undecided != c.undecided {
			t.Errorf("%s, known %q: %q %q %v", c.match, c.known, a.Cluster, a.Undecided, err)
		}
	}
}

// TestDigestsLeavePoliciesUndecided checks policies that compare a header with
// a redacted value. Such a policy counts as possibly matching, unless the key
// of the digests is known. The policy may compare the header several times.
func TestDigestsLeavePoliciesUndecided(t *testing.T) {
	const is = "redacted:0123456789abcdef"
	var m any
	if err := object.Unmarshal([]byte(`{"rules": {"action": "DENY", "policies": {"a": {"permissions": [{"header": {"name": "x-a", "stringMatch": {"exact": "`+is+`"}}}], "principals": [{"any": true}]},
		"b": {"permissions": [{"notRule": {"header": {"name": "x-a", "stringMatch": {"exact": "`+is+`"}}}}], "principals": [{"any": true}]}}}}`), &m); err != nil {
		t.Fatal(err)
	}
	for known, want := range map[string]string{"": "", is: "a", "redacted:fedcba9876543210": "b"} {
		c := newChoice(t.Context(), &Cache{}, Envoy{})
		r := Request{Method: "GET", Path: "/", Headers: [][2]string{{"x-a", "t0ken"}}}
		if known != "" {
			c.digests = map[string]string{"t0ken": known}
		}
		v := c.rbac(c.Message(m), &routed{r, r.headers()})
		if len(v) != 1 || v[0].Denied != (want != "") || want != "" && v[0].Policy != want || (v[0].Unknown != "") != (want == "") {
			t.Errorf("known %q: %+v", known, v)
		}
	}
}
