package e2e_test

import (
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/test/e2e/oracle"
)

// With -record, Envoy's answers are saved as golden files. The tests of query/trace check match and trace with the
// files in its testdata folder, without an Envoy. A line of a file has the listeners as the document shows them, the
// requests as arguments of the plugin's functions, and a description of Envoy's action.
var recording = flag.String("record", "", "append what Envoy answers, where the plugin says the same, to this file")

type recorded struct {
	Listener  json.RawMessage   `json:"listener,omitempty"`  // the listener whose routes were tried
	Listeners []json.RawMessage `json:"listeners,omitempty"` // the first one accepts the connections
	Cases     []recordedCase    `json:"cases"`
}

type recordedCase struct {
	Request map[string]any `json:"request"`
	Envoy   string         `json:"envoy"`
}

func record(t *testing.T, all []recorded) {
	t.Helper()
	f, err := os.OpenFile(*recording, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	must(t, err)
	defer f.Close()
	for _, r := range all {
		_, err := f.WriteString(text(r) + "\n")
		must(t, err)
	}
}

// kept is how many cases per listener are recorded.
const kept = 40

// record returns Envoy's answers to requests in the form in which they are recorded.
func (j *comparer) record(t *testing.T, dump, host string, all []*routeCase) (out []recorded) {
	t.Helper()
	var names []string
	for _, r := range all {
		names = append(names, r.name)
	}
	lines := j.ask(t, dump, names, `.proxies[0] as $proxy | $cases[0][] | . as $name | $proxy | listener($name) | del(.lastUpdated, .versionInfo, .filterChains[].filters[].typedConfig.routeConfig.responseHeadersToAdd)
		| (.. | objects | select((.inlineString? // "") | startswith("-----"))).inlineString = ""`)
	for i, r := range all {
		g := recorded{Listener: []byte(strings.ReplaceAll(string(lines[i]), host, "127.0.0.1"))}
		for k, q := range r.requests {
			c := r.choices[k]
			if len(g.Cases) == kept || c != nil && (c.declines() || len(c.Clusters) > 1 && c.Cluster == "") || c == nil && k%4 > 0 {
				continue // leave out results that depend on chance, and most of the requests without a route
			}
			_, envoy := r.said(k)
			g.Cases = append(g.Cases, recordedCase{r.matchArgument(q, "127.0.0.1"), envoy})
		}
		out = append(out, g)
	}
	return out
}

// recordChains returns the filter chains that Envoy chose, in the form in which they are recorded.
func (j *comparer) recordChains(t *testing.T, snapshot string, all []*chainCase) (out []recorded) {
	t.Helper()
	var ids []string
	for _, d := range all {
		ids = append(ids, d.name+".default")
	}
	lines := j.ask(t, snapshot, ids, `. as $mesh | $cases[0][] | . as $id | $mesh | proxy($id) | [.listeners[] | del(.lastUpdated, .versionInfo)]`)
	for i, d := range all {
		var g recorded
		must(t, json.Unmarshal(lines[i], &g.Listeners))
		for k, c := range d.connections {
			g.Cases = append(g.Cases, recordedCase{traceArgumentOf(c), d.chains[k]})
		}
		out = append(out, g)
	}
	return out
}

// matchArgument returns a request as an argument of the plugin's match function.
func (r *routeCase) matchArgument(q oracle.Request, host string) map[string]any {
	headers := map[string][]string{}
	for _, h := range q.Headers {
		name := strings.ToLower(h[0])
		headers[name] = append(headers[name], h[1])
	}
	m := map[string]any{"method": q.Method, "path": q.Path, "host": q.Host, "source": "127.0.0.1", "destination": host, "headers": headers}
	if strings.Contains(q.Host, ":") {
		m["port"] = r.port
	}
	if r.TLS {
		m["tls"], m["principal"] = true, map[bool]string{true: oracle.Principal}[r.ShowsCert]
	}
	return m
}
