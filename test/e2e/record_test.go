package e2e_test

import (
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/test/e2e/oracle"
)

// Envoy's answers, where asked for, become goldens: query/library/testdata has
// them, and holds match and trace against them where there is no Envoy. A line
// is what the document says of the listeners, with requests as the plugin is
// asked, and what Envoy did in words.
var recording = flag.String("record", "", "append what Envoy answers, where the plugin says the same, to this file")

type recorded struct {
	Listener  json.RawMessage   `json:"listener,omitempty"`  // whose routes were asked
	Listeners []json.RawMessage `json:"listeners,omitempty"` // the first of which connections come to
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

// kept is how many cases of a listener are recorded.
const kept = 40

// record gives Envoy's answers to the requests of route configurations.
func (j *judged) record(t *testing.T, dump, host string, all []*routing) (out []recorded) {
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
				continue // what hangs on chance, and most of what has no route
			}
			_, envoy := r.said(k)
			g.Cases = append(g.Cases, recordedCase{r.asked(q, "127.0.0.1"), envoy})
		}
		out = append(out, g)
	}
	return out
}

// recordDoors gives which chains of listeners Envoy took.
func (j *judged) recordDoors(t *testing.T, snapshot string, all []*door) (out []recorded) {
	t.Helper()
	var ids []string
	for _, d := range all {
		ids = append(ids, d.name+".default")
	}
	lines := j.ask(t, snapshot, ids, `. as $mesh | $cases[0][] | . as $id | $mesh | proxy($id) | [.listeners[] | del(.lastUpdated, .versionInfo)]`)
	for i, d := range all {
		var g recorded
		must(t, json.Unmarshal(lines[i], &g.Listeners))
		for k, knock := range d.knocks {
			g.Cases = append(g.Cases, recordedCase{requestOf(knock), d.chains[k]})
		}
		out = append(out, g)
	}
	return out
}

// asked is a request as the plugin is asked.
func (r *routing) asked(q oracle.Request, host string) map[string]any {
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
		m["tls"], m["principal"] = true, map[bool]string{true: oracle.Principal}[r.Shown]
	}
	return m
}
