package e2e_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/test/e2e/oracle"
	"github.com/meshq/kubectl-meshq/test/e2e/random"
)

// A subject is a proxy whose configuration is run in a replica.
type subject struct {
	id, ip string
	dump   []byte // the answer to /config_dump
}

// callsEach is how many calls per proxy are tried.
const callsEach = 400

// compareTraces compares the results of trace, based on a snapshot, with replicas of the proxies' Envoys. It tries
// calls to everything that the proxies' own configurations match.
func (j *comparer) compareTraces(t *testing.T, snapshot string, subjects []subject) {
	t.Helper()
	total, unsure := 0, 0
	for n, s := range subjects {
		d, err := oracle.ReadDump(s.dump)
		must(t, err)
		calls := callsOf(random.New(fixedSeed+uint64(n)), d, s.ip, callsEach)
		j.trace(t, snapshot, s, calls)
		j.callReplica(t, s, calls)
		total += len(calls)
		for _, k := range calls {
			if len(k.unsure) > 0 {
				unsure++
			}
			if k.plugin != k.envoy {
				t.Errorf("%s: Envoy: %s; the plugin: %s %v\n%s", s.id, k.envoy, k.plugin, k.unsure, text(k.traceArgument(s.ip, 0)))
			}
		}
	}
	t.Logf("%d proxies, %d calls, %d of them with something that can't be told", len(subjects), total, unsure)
	if total < 100*len(subjects) {
		t.Errorf("only %d calls of %d proxies were tried", total, len(subjects))
	}
}

const firstMark = 20000

// trace asks the plugin for the results of all calls.
func (j *comparer) trace(t *testing.T, snapshot string, s subject, calls []*call) {
	t.Helper()
	cases := map[string]any{"proxy": s.id}
	var requests []map[string]any
	for i, k := range calls {
		requests = append(requests, k.traceArgument(s.ip, firstMark+i))
	}
	cases["requests"] = requests
	lines := j.ask(t, snapshot, cases, `.proxy($cases[0].proxy) as $proxy | $cases[0].requests[] as $request
		| $proxy.trace($request) | {cluster, clusters, reason, status, redirectTo, unsupported}`)
	for i, k := range calls {
		if i >= len(lines) {
			t.Fatal("there are fewer answers than calls")
		}
		k.setPluginResult(t, lines[i])
	}
}

// noCertificate describes a connection to a filter chain for which Envoy still waits for a certificate. A replica has a
// certificate, so it can't confirm this.
const noCertificate = "no certificate"

// setPluginResult describes the plugin's trace of the call in words, as callReplica does for Envoy.
func (k *call) setPluginResult(t *testing.T, trace []byte) {
	t.Helper()
	var w struct {
		Cluster, Reason string
		To              string `json:"redirectTo"`
		Status          int
		Clusters        []struct{ Name string }
		Unsupported     []string
	}
	if err := json.Unmarshal(trace, &w); err != nil {
		t.Fatalf("%q: %v", trace, err)
	}
	k.unsure = w.Unsupported
	for _, c := range w.Clusters {
		k.shares = append(k.shares, c.Name)
	}
	switch {
	case w.Reason == "NO_LISTENER" || w.Reason == "NO_FILTER_CHAIN":
		k.plugin = "closed"
	case w.Reason == "TLS_MISMATCH":
		k.plugin = "not understood"
	case w.Reason == "NO_CERTIFICATE":
		k.plugin = noCertificate
	case w.Reason == "DENIED" && w.Status == 0:
		k.plugin = "denied"
	case w.Reason == "NO_CLUSTER" && k.http:
		k.plugin = "answered with 503 "
	case slices.Contains([]string{"", "PASSTHROUGH", "BLACKHOLE", "NO_ENDPOINTS", "ALL_UNHEALTHY", "SUBSET_EMPTY"}, w.Reason) && len(w.Clusters) > 0:
		k.plugin = "to " + w.Cluster
	default:
		k.plugin = fmt.Sprintf("answered with %d %s", w.Status, w.To)
	}
}

// callReplica makes all calls to a replica of the proxy's Envoy and describes the results in words.
func (j *comparer) callReplica(t *testing.T, s subject, calls []*call) {
	t.Helper()
	r, c, err := oracle.NewReplica(s.dump, oracle.Host(rand.Uint64()), j.dir, j.identity)
	must(t, err)
	must(t, r.Run(t.Context(), j.envoy, c))
	defer r.Stop()
	type numbered struct {
		*call
		mark     int
		answered bool
	}
	var all []*numbered
	open := 0
	for i, k := range calls {
		all = append(all, &numbered{call: k, mark: firstMark + i})
		if k.plugin != "closed" && k.plugin != "not understood" {
			open++
		}
	}
	atOnce(8, all, func(n *numbered) {
		var err error
		if n.answered, err = r.Make(t.Context(), n.oracleCall(s.ip, n.mark, j.identity)); err != nil {
			t.Error(err)
		}
	})
	outcomes, err := r.Outcomes(t.Context(), open)
	must(t, err)
	for _, n := range all {
		w, ok := outcomes[n.mark]
		switch {
		case !ok:
			n.envoy = "closed"
		case strings.HasPrefix(w.End, "rbac_") && !n.answered:
			n.envoy = "denied"
		case w.Cluster == "" || strings.HasPrefix(w.Details, "rbac_") || strings.HasPrefix(w.Details, "fault_"):
			n.envoy = fmt.Sprintf("answered with %d %s", w.Status, w.Location)
		default:
			n.envoy = "to " + w.Cluster
			if (w.Status == 0 || n.plugin == "to ") && slices.Contains(n.shares, w.Cluster) { // the choice depends on chance, so any cluster with a weight is right
				n.plugin = n.envoy
			}
		}
		if n.plugin == noCertificate {
			n.envoy = n.plugin
		}
		if n.plugin == "not understood" && (!n.answered || w.Details == "http1.codec_error") { // TLS sent to a plain-text listener, or no certificate
			n.envoy = n.plugin
		}
	}
}
