package routing

import (
	"context"
	"fmt"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// TestRuntimeOverridesConfiguration checks the effect of Envoy's runtime on
// fractions, weights, and the flags that disable rules.
func TestRuntimeOverridesConfiguration(t *testing.T) {
	set := func(key string, v any) func(string) (any, bool) {
		return func(k string) (any, bool) {
			if k == key {
				return v, true
			}
			return nil, true
		}
	}
	on := func(runtime func(string) (any, bool)) HCM { return HCM{Envoy: Envoy{Runtime: runtime}} }
	split := `{"prefix": "/"}, "route": {"weightedClusters": {"runtimeKeyPrefix": "w", "clusters": [{"name": "a", "weight": 50}, {"name": "b", "weight": 50}]}}`
	fraction := `{"prefix": "/", "runtimeFraction": {"defaultValue": {"numerator": 100}, "runtimeKey": "f"}}, "route": {"cluster": "a"}`
	twice := `{"prefix": "/", "headers": [{"name": "x", "stringMatch": {"exact": "v"}}]}, "route": {"cluster": "a"}`
	for _, c := range []struct {
		name, match string
		hcm         HCM
		r           Request
		want        string
	}{
		{"a weight", split, on(set("w.a", 0)), Request{}, "b [{b 1 <nil>}] []"},
		{"no weight", split, on(set("x", 0)), Request{}, " [{a 0.5 <nil>} {b 0.5 <nil>}] []"},
		{"a weight that isn't known", split, HCM{}, Request{}, " [{a 0.5 <nil>} {b 0.5 <nil>}] [runtime key w]"},
		{"a fraction of nothing", fraction, on(set("f", 0)), Request{}, " [] [] 404"},
		{"a fraction", fraction, on(set("f", object.Of("numerator", 1, "denominator", "MILLION"))), Request{Random: new(uint64)}, "a [{a 1 <nil>}] []"},
		{"a fraction by default", fraction, on(set("x", 0)), Request{}, "a [{a 1 <nil>}] []"},
		{"a flag turned off", twice, on(set("envoy.reloadable_features.match_headers_individually", false)), Request{Headers: [][2]string{{"x", "v"}, {"x", "w"}}}, " [] [] 404"},
		{"a flag not set", twice, on(set("x", false)), Request{Headers: [][2]string{{"x", "v"}, {"x", "w"}}}, "a [{a 1 <nil>}] []"},
		{"a fragment", twice, HCM{}, Request{Path: "/#x"}, " [] [] 400"},
		{"a fragment that is cut off", split, on(set("envoy.reloadable_features.http_reject_path_with_fragment", false)), Request{Path: "/#x"}, " [{a 0.5 <nil>} {b 0.5 <nil>}] []"},
		{"a certificate", `{"prefix": "/", "tlsContext": {"presented": true, "validated": true}}, "route": {"cluster": "a"}`, HCM{}, Request{TLS: true, Principal: "spiffe://a"}, "a [{a 1 <nil>}] []"},
		{"no certificate", `{"prefix": "/", "tlsContext": {"presented": false}}, "route": {"cluster": "a"}`, HCM{}, Request{TLS: true, Principal: "spiffe://a"}, " [] [] 404"},
		{"a certificate nobody knows of", `{"prefix": "/", "tlsContext": {"presented": true}}, "route": {"cluster": "a"}`, HCM{}, Request{TLS: true}, " [] [client certificate] 404"},
		{"a cluster by matcher", `{"prefix": "/"}, "route": {"inlineClusterSpecifierPlugin": {"extension": {"name": "m", "typedConfig": {"@type": "x.MatcherClusterSpecifier", "clusterMatcher": {"matcherList": {"matchers": [
			{"predicate": {"singlePredicate": {"input": {"typedConfig": {"@type": "y.HttpRequestHeaderMatchInput", "headerName": "x"}}, "valueMatch": {"exact": "1"}}}, "onMatch": {"action": {"typedConfig": {"@type": "z.ClusterAction", "cluster": "one"}}}}]}}}}}}`,
			HCM{}, Request{Headers: [][2]string{{"x", "1"}}}, "one [{one 1 <nil>}] []"},
		{"a cluster by a named plugin", `{"prefix": "/"}, "route": {"clusterSpecifierPlugin": "m"}`, HCM{}, Request{}, "three [{three 1 <nil>}] []"},
		{"a cluster by Lua", `{"prefix": "/"}, "route": {"clusterSpecifierPlugin": "lua"}`, HCM{}, Request{}, " [] [cluster specifier lua]"},
	} {
		if c.r.Path == "" {
			c.r.Path = "/"
		}
		c.r.Method, c.r.Host = "GET", "h"
		rc := value(t, `{"name": "r", "clusterSpecifierPlugins": [{"extension": {"name": "lua", "typedConfig": {"@type": "x.LuaConfig"}}},
			{"extension": {"name": "m", "typedConfig": {"@type": "x.MatcherClusterSpecifier", "clusterMatcher": {"onNoMatch": {"action": {"typedConfig": {"@type": "z.ClusterAction", "cluster": "three"}}}}}}}],
			"virtualHosts": [{"name": "v", "domains": ["*"], "routes": [{"match": `+c.match+`}]}]}`)
		a, err := Configuration(context.Background(), &Cache{}, rc, c.hcm, c.r)
		if err != nil {
			t.Fatal(c.name, err)
		}
		got := fmt.Sprint(a.Cluster, " ", a.Clusters, " ", a.Unsupported)
		if a.Status != 0 {
			got += fmt.Sprint(" ", a.Status)
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// TestLimitsTakeTheClosestLevel checks which level determines timeouts, retries
// and mirrors.
func TestLimitsTakeTheClosestLevel(t *testing.T) {
	rc := value(t, `{"requestMirrorPolicies": [{"cluster": "third"}], "virtualHosts": [{"name": "v", "domains": ["*"], "retryPolicy": {"retryOn": "5xx", "numRetries": 3}, "routes": [
		{"match": {"prefix": "/own"}, "route": {"cluster": "a", "timeout": "2.500s", "retryPolicy": {"retryOn": "reset", "perTryTimeout": "1s"}, "requestMirrorPolicies": [{"cluster": "first", "runtimeFraction": {"defaultValue": {"numerator": 25}}}]}},
		{"match": {"prefix": "/none"}, "route": {"cluster": "a", "timeout": "0s", "retryPolicy": {}, "clusterNotFoundResponseCode": "NOT_FOUND"}},
		{"match": {"prefix": "/"}, "route": {"cluster": "a"}}]}]}`)
	for _, c := range []struct {
		path    string
		headers [][2]string
		want    string
	}{
		{"/own", nil, "2.5 &{reset 1 1} [{first 0.25}] 503"},
		{"/none", nil, "0 <nil> [{third 1}] 404"},
		{"/", nil, "15 &{5xx 3 0} [{third 1}] 503"},
		{"/own", [][2]string{{"x-envoy-max-retries", "5"}, {"x-envoy-retry-on", "gateway-error"}, {"x-envoy-upstream-rq-timeout-ms", "800"}}, "0.8 &{reset,gateway-error 5 0} [{first 0.25}] 503"},
	} {
		a, err := Configuration(context.Background(), &Cache{}, rc, HCM{}, Request{Method: "GET", Host: "h", Path: c.path, Headers: c.headers})
		if err != nil {
			t.Fatal(err)
		}
		l, err := a.Limits()
		if got := fmt.Sprint(l.Timeout, " ", l.Retries, " ", l.Mirrors, " ", l.NoCluster); err != nil || got != c.want {
			t.Errorf("%s: %s, want %s (%v)", c.path, got, c.want, err)
		}
	}
}
