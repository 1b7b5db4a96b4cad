package docs

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/test/program"
)

// TestMTLSFindsConflicts changes the recorded configuration of the demo, as a
// PeerAuthentication STRICT at the server and a DestinationRule with tls.mode
// DISABLE at one client would: the query mtls finds that pair, and nothing in the
// demo as it is.
func TestMTLSFindsConflicts(t *testing.T) {
	out, errs, code := program.Run(t, "mtls", "--snapshot", "demo", "-c")
	if code != 0 || out != "" {
		t.Fatalf("the demo has no conflict: %d %s%s", code, out, errs)
	}
	const client, server = "productpage-v1-6b746f74dc-9stvs.default", "reviews-v1-7f99cc4496-gdxfn.default"
	strict := func(name string, v any) any {
		switch {
		case strings.Contains(name, server) && strings.HasSuffix(name, "config_dump.json"):
			return edited(v, func(m map[string]any) {
				if chains, ok := m["filter_chains"].([]any); ok && m["name"] == "virtualInbound" {
					m["filter_chains"] = slices.DeleteFunc(chains, func(c any) bool { return c.(map[string]any)["transport_socket"] == nil })
					delete(m, "default_filter_chain")
				}
			})
		case strings.Contains(name, client) && strings.HasSuffix(name, "config_dump.json"):
			return edited(v, func(m map[string]any) {
				if text, _ := m["name"].(string); strings.HasSuffix(text, "|v1|reviews.default.svc.cluster.local") {
					delete(m, "transport_socket_matches")
				}
			})
		}
		return v
	}
	out, errs, code = program.Run(t, "mtls", "--snapshot", program.RewrittenDemo(t, nil, strict), "-c")
	var row map[string]any
	if err := json.Unmarshal([]byte(out), &row); err != nil || code != 0 {
		t.Fatalf("%d %v: %s%s", code, err, out, errs)
	}
	if row["proxy"] != client || row["server"] != server || row["sends"] != "plain text" || row["takes"] != "mutual TLS only" || row["subset"] != "v1" {
		t.Errorf("%v", row)
	}
}

// edited calls edit with each object in a value.
func edited(v any, edit func(map[string]any)) any {
	switch v := v.(type) {
	case map[string]any:
		edit(v)
		for _, w := range v {
			edited(w, edit)
		}
	case []any:
		for _, w := range v {
			edited(w, edit)
		}
	}
	return v
}
