package routing

import (
	"context"
	"fmt"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// TestPolicyExtensionsBalanceAsTheOlderFields checks load balancing policies that
// are configured as extensions, as Envoy Gateway does: with zones, with weights
// of localities, and with subsets. The shares must be the same as with the older
// fields of a cluster.
func TestPolicyExtensionsBalanceAsTheOlderFields(t *testing.T) {
	policy := func(name, fields string) string {
		return `{"policies": [{"typedExtensionConfig": {"name": "p", "typedConfig": {"@type": "type.googleapis.com/envoy.extensions.load_balancing_policies.` + name + `"` + fields + `}}}]}`
	}
	var rows, local []any
	for i, zone := range []string{"a", "a", "b", "b", "b", "c", "c"} {
		row := object.Of("health", "HEALTHY", "locality", object.Of("zone", zone), "localityWeight", i+1, "overprovisioningFactor", 140,
			"metadata", object.Of("filterMetadata", object.Of("envoy.lb", object.Of("v", zone))))
		rows = append(rows, row)
		if zone != "b" || i == 2 {
			local = append(local, row)
		}
	}
	zone := func() (*Zone, error) { return &Zone{Locality: object.Of("zone", "a"), Local: local}, nil }
	for _, c := range []struct{ newer, older, criteria string }{
		{policy("round_robin.v3.RoundRobin", ``), `{}`, `{}`},
		{policy("round_robin.v3.RoundRobin", `, "localityLbConfig": {"zoneAwareLbConfig": {"minClusterSize": "3"}}`), `{"commonLbConfig": {"zoneAwareLbConfig": {"minClusterSize": "3"}}}`, `{}`},
		{policy("least_request.v3.LeastRequest", `, "localityLbConfig": {"localityWeightedLbConfig": {}}`), `{"commonLbConfig": {"localityWeightedLbConfig": {}}}`, `{}`},
		{policy("wrr_locality.v3.WrrLocality", `, "endpointPickingPolicy": `+policy("round_robin.v3.RoundRobin", ``)), `{"commonLbConfig": {"localityWeightedLbConfig": {}}}`, `{}`},
		{policy("random.v3.Random", ``), `{"lbPolicy": "RANDOM"}`, `{}`},
		{policy("ring_hash.v3.RingHash", ``), `{"lbPolicy": "RING_HASH"}`, `{}`},
		{policy("maglev.v3.Maglev", ``), `{"lbPolicy": "MAGLEV"}`, `{}`},
		{policy("subset.v3.Subset", `, "subsetSelectors": [{"keys": ["v"]}], "subsetLbPolicy": `+policy("round_robin.v3.RoundRobin", ``)), `{"lbSubsetConfig": {"subsetSelectors": [{"keys": ["v"]}]}}`, `{"v": "b"}`},
	} {
		criteria := value(t, c.criteria).(*object.Object)
		var got [2]string
		for i, cluster := range []string{`{"loadBalancingPolicy": ` + c.newer + `}`, c.older} {
			b, err := Balance(context.Background(), value(t, cluster), rows, criteria, zone)
			if err != nil {
				t.Fatal(err)
			}
			got[i] = fmt.Sprintf("%.4f %s %v", rounded(b), b.Reason, b.Unsupported)
		}
		if got[0] != got[1] {
			t.Errorf("%s: %s, the older fields: %s", c.newer, got[0], got[1])
		}
	}
}

// TestOddValuesDoNotPanic checks that messages that Envoy would reject, and
// those of which a dump contains only a part, are read as far as possible.
func TestOddValuesDoNotPanic(t *testing.T) {
	host := func(metadata string) any {
		return object.Of("health", "HEALTHY", "overprovisioningFactor", 1, "metadata", object.Of("filterMetadata", object.Of("envoy.lb", value(t, metadata))))
	}
	for _, c := range []struct{ cluster, criteria string }{
		{`{"lbSubsetConfig": {"listAsAny": true, "subsetSelectors": [{"keys": ["v"]}]}}`, `{"v": {"a": 1}}`},
		{`{"lbSubsetConfig": {"subsetSelectors": [{"keys": ["v"], "fallbackPolicy": "KEYS_SUBSET", "fallbackKeysSubset": ["v"]}]}}`, `{"v": "z"}`},
		{`{"lbSubsetConfig": {"subsetSelectors": [{"keys": ["v"], "fallbackPolicy": "KEYS_SUBSET", "fallbackKeysSubset": ["w"]}, {"keys": ["w"], "fallbackPolicy": "KEYS_SUBSET", "fallbackKeysSubset": ["v"]}]}}`, `{"v": "z"}`},
		{`{"loadBalancingPolicy": {"policies": [{}]}}`, `{}`},
		{`{"loadBalancingPolicy": {"policies": [null]}, "commonLbConfig": null}`, `{}`},
		{`{"commonLbConfig": {"localityWeightedLbConfig": {}, "healthyPanicThreshold": {"value": 1}}}`, `{}`},
	} {
		rows := []any{host(`{"v": [{"a": 1}]}`), host(`{"v": {"a": 1}}`), host(`{}`), nil}
		rows[2].(*object.Object).Set("health", "UNHEALTHY")
		if _, err := Balance(context.Background(), value(t, c.cluster), rows, value(t, c.criteria).(*object.Object), nil); err != nil {
			t.Error(c.cluster, err)
		}
	}
	scoped := value(t, `{"scopeKeyBuilder": {"fragments": [{"headerValueExtractor": {"name": "x", "index": -1}}]}, "scopedRouteConfigurationsList": {"scopedRouteConfigurations": []}}`)
	if _, _, err := Scope(context.Background(), &Cache{}, Envoy{}, scoped, Request{Headers: [][2]string{{"x", "a"}}}); err != nil {
		t.Error(err)
	}
	e := &Edge{TrustedHops: -3}
	e.clientAddress(&Request{Headers: [][2]string{{"x-forwarded-for", "10.0.0.1"}}})
}
