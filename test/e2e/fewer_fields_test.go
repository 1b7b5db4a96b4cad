package e2e_test

import (
	"strings"
	"testing"
)

// someOfAll lists queries that read some fields of every element. E is a placeholder for an identity function, which
// may or may not read the whole element.
var someOfAll = []string{
	`[.proxies[] | {id, n: [.clusters[] | E | .name, .type, .connectTimeout, .lbPolicy, .subset, .fqdn, .state, .destinationRule]}]`,
	`[.proxies[].clusters[] | E | .lastUpdated, .metadata.filterMetadata.istio, .edsClusterConfig.serviceName, .circuitBreakers, .error]`,
	`[.proxies[].clusters[] | E | select(.type == "EDS") | {name, lbPolicy}]`,
	`[.proxies[] | [.clusters[] | E] | group_by(.type) | map({t: .[0].type, n: length})]`,
	`[.proxies[] | ([.clusters[] | E] | length), ([.listeners[] | E] | length), ([.routes[] | E] | length)]`,
	`[.proxies[].listeners[] | E | .name, .state, .lastUpdated, .error]`,
	`[.proxies[].routes[] | E | .name, .state, .lastUpdated, .validateClusters]`,
	`[.proxies[] | desired | [.clusters[] | E | .name, .type], [.routes[] | E | .name], [.endpoints[] | E | .address]]`,
}

// envoyIsAskedForLess checks that a query gets the same result whether it requests only the fields and types that it
// reads, or everything. It also checks this for a proxy that has rejected an update.
func envoyIsAskedForLess(t *testing.T, w *world) {
	for _, broken := range []bool{false, true} {
		if broken {
			must(t, w.Reject(t.Context(), w.proxy(t, "ratings-v1")))
		}
		for _, q := range someOfAll {
			all := w.ask(t, strings.ReplaceAll(q, "| E", "| (tojson | fromjson)")).exits(0).quiet()
			some := w.ask(t, strings.ReplaceAll(q, "| E", "| ."), "--explain").exits(0)
			if some.out != all.out {
				t.Errorf("%s: asked for some:\n%s\nfor all:\n%s", q, clip(some.out), clip(all.out))
			}
			masked := strings.Contains(some.err, "config_dump?resource=dynamic_") || strings.Contains(some.err, "&types=")
			if !masked {
				t.Errorf("%s: was asked for all: %s", q, some.err)
			}
		}
	}
}

// adszWhereNeeded checks that /debug/adsz is requested from istiod only for queries that read a fact with no other
// source.
func adszWhereNeeded(t *testing.T, w *world) {
	for query, adsz := range map[string]int{
		".proxies[] | .rds, .connectedAt, .workload, .labels":    0,
		`.proxy("istio-ingressgateway").route("http.8080").name`: 0,
		".proxies[].locality.zone":                               1,
	} {
		told := w.ask(t, query, "--explain").exits(0).err
		if strings.Count(told, ": connections: ") != 1 || strings.Count(told, ": adsz: ") != adsz {
			t.Errorf("%s: adsz should be asked for %d times:\n%s", query, adsz, told)
		}
	}
}
