package pictures

import (
	"encoding/json"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshq/kubectl-meshq/query/graph"
	"github.com/meshq/kubectl-meshq/test/program"
)

// graphOf returns the graph of a mesh.
func graphOf(t *testing.T, snapshot string, flags ...string) graph.Graph {
	t.Helper()
	out, errs, code := program.Run(t, append([]string{"graph", "--snapshot", snapshot, "-o", "json"}, flags...)...)
	var g graph.Graph
	if err := json.Unmarshal([]byte(out), &g); err != nil || code != 0 && code != 6 {
		t.Fatalf("%s: %d: %v: %s", snapshot, code, err, errs)
	}
	return g
}

// TestGraphEqualsRoutesTo checks for every service of every capture that the
// edges to it are exactly the routes and listeners that the function routesTo
// finds.
func TestGraphEqualsRoutesTo(t *testing.T) {
	for _, snapshot := range snapshots() {
		g := graphOf(t, snapshot)
		hosts, got := map[string]bool{}, map[string][]string{}
		for _, e := range g.Edges {
			if e.Route == nil {
				continue
			}
			host := e.Cluster[strings.LastIndex(e.Cluster, "|")+1:]
			hosts[host] = true
			for _, proxy := range e.Proxies {
				r := e.Route
				got[host] = append(got[host], strings.Join([]string{proxy, r.Kind, r.RouteConfiguration, r.VirtualHost, r.Name}, " "))
			}
		}
		out, errs, code := program.Run(t, "--snapshot", snapshot, "-r", `[.proxies[].clusters[].fqdn | values] | unique[]`)
		if code != 0 {
			t.Fatal(errs)
		}
		for host := range strings.Lines(out) { // services without any edge, too
			hosts[strings.TrimSpace(host)] = true
		}
		if len(hosts) < 3 {
			t.Errorf("%s: %d services", snapshot, len(hosts))
		}
		edges := 0
		for host := range hosts {
			query := fmt.Sprintf(`.routesTo(%q) | select(.kind != "Listener" or (.filterChains, [.defaultFilterChain] | any(.[]?; .filters[]?.typedConfig | .cluster?, .weightedClusters.clusters[]?.name | strings | startswith("outbound|")))) | [.proxy, .kind, .routeConfiguration // "", .virtualHost // "", .name // ""] | join(" ")`, host)
			out, errs, code := program.Run(t, "--snapshot", snapshot, "-r", query)
			if code != 0 && code != 6 {
				t.Fatalf("%s: %s", host, errs)
			}
			want := unique(strings.Split(strings.TrimSpace(out), "\n"))
			have := unique(got[host])
			edges += len(have)
			// routesTo takes "reviews.default" as a service of which other hosts may be
			// the longer name; here every host is a full one.
			if diff := cmp.Diff(want, have); diff != "" {
				t.Errorf("%s: %s (-routesTo +graph):\n%s", snapshot, host, diff)
			}
		}
		if edges < 3 {
			t.Errorf("%s: %d edges", snapshot, edges)
		}
	}
}

func unique(all []string) []string {
	set := map[string]bool{}
	for _, s := range all {
		if s = strings.TrimSpace(s); s != "" {
			set[s] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// TestGraphMarksWhatIsBroken compares the marks with the function unreachable and
// the sync state.
func TestGraphMarksWhatIsBroken(t *testing.T) {
	g := graphOf(t, "demo")
	marks := map[string]bool{}
	for _, e := range g.Edges {
		for _, reason := range e.Broken {
			for _, proxy := range e.Proxies {
				marks[proxy+" "+e.Cluster+" "+reason] = true
			}
		}
	}
	out, _, _ := program.Run(t, "--snapshot", "demo", "-r", `.proxies[] | unreachable | select(.reason != "SHADOWED" and .cluster and (.cluster | startswith("outbound|"))) | "\(.proxy) \(.cluster) \(.reason)"`)
	want := unique(strings.Split(out, "\n"))
	have := slices.DeleteFunc(slices.Sorted(maps.Keys(marks)), func(s string) bool { return strings.HasSuffix(s, " SHADOWED") })
	if diff := cmp.Diff(want, have); diff != "" || len(want) < 20 {
		t.Errorf("-unreachable +graph:\n%s", diff)
	}
	states := map[string][]string{}
	for _, n := range g.Nodes {
		if len(n.Broken) > 0 {
			states[n.Name] = n.Broken
		}
	}
	if diff := cmp.Diff(map[string][]string{"ratings-v1": {"ERROR"}, "reviews-v2": {"STALE"}}, states); diff != "" {
		t.Error(diff)
	}
}

// TestGraphSharesSumUp checks that the shares of each route of a workload sum up
// to 1.
func TestGraphSharesSumUp(t *testing.T) {
	for _, snapshot := range snapshots() {
		sums := map[string]float64{}
		for _, e := range graphOf(t, snapshot).Edges {
			if e.Share != nil {
				for _, proxy := range e.Proxies {
					sums[fmt.Sprint(proxy, *e.Route)] += *e.Share
				}
			}
		}
		for route, sum := range sums {
			if n := sum + 0.5; n-float64(int(n))-0.5 > 0.001 || sum < 0.999 { // several routes may have the same name and match
				t.Errorf("%s: %s: %v", snapshot, route, sum)
			}
		}
	}
}

// TestGraphIsSelected checks --from, --to and --depth.
func TestGraphIsSelected(t *testing.T) {
	from := func(g graph.Graph) []string {
		var all []string
		for _, e := range g.Edges {
			if e.Route != nil {
				all = append(all, e.From)
			}
		}
		return unique(all)
	}
	if got := from(graphOf(t, "demo", "--from", "istio-ingressgateway")); !slices.Equal(got, []string{"gateway/istio-system/istio-ingressgateway"}) {
		t.Errorf("%q", got)
	}
	if got := from(graphOf(t, "demo", "--from", "details-v1", "--depth", "2")); !slices.Equal(got, []string{"gateway/istio-system/istio-ingressgateway", "workload/default/details-v1", "workload/default/ratings-v1"}) {
		t.Errorf("%q", got)
	}
	all := from(graphOf(t, "demo"))
	if got := from(graphOf(t, "demo", "--from", "details-v1", "--depth", "0")); !slices.Equal(got, all) || len(all) != 7 {
		t.Errorf("%q", got)
	}
	for _, e := range graphOf(t, "demo", "--to", "ratings.default").Edges {
		if e.To != "service/default/ratings" && e.From != "service/default/ratings" {
			t.Errorf("%+v", e)
		}
	}
	if _, errs, code := program.Run(t, "graph", "--snapshot", "demo", "--from", "nobody"); code != 5 || !strings.Contains(errs, "no workload, service or proxy named nobody") {
		t.Errorf("%d %s", code, errs)
	}
	if _, errs, code := program.Run(t, "graph", "--snapshot", "demo", "-o", "png"); code != 2 || !strings.Contains(errs, "graph prints tree, mermaid, dot, json") {
		t.Errorf("%d %s", code, errs)
	}
}

// TestGraphNamesWhatIsUnknown removes a proxy's config dump: its edges are missing,
// the graph says so, and the exit code is 6.
func TestGraphNamesWhatIsUnknown(t *testing.T) {
	dir := program.RewrittenDemo(t, []string{program.Victim + "/config_dump.json"}, func(_ string, v any) any { return v })
	out, _, code := program.Run(t, "graph", "--snapshot", dir, "-o", "json")
	var g graph.Graph
	if err := json.Unmarshal([]byte(out), &g); err != nil || code != 6 {
		t.Fatalf("%d %v", code, err)
	}
	for _, what := range []string{"routes", "listeners", "clusters"} {
		if !slices.ContainsFunc(g.Unknowns, func(u graph.Unknown) bool { return u.Proxy == program.Victim && u.What == what }) {
			t.Errorf("%s is not among %+v", what, g.Unknowns)
		}
	}
	for _, format := range []string{"tree", "mermaid", "dot"} {
		if out, _, code := program.Run(t, "graph", "--snapshot", dir, "-o", format); code != 6 || !strings.Contains(out, program.Victim) {
			t.Errorf("%s: %d\n%s", format, code, out)
		}
	}
}

// hostile is a text that ends strings and statements of Mermaid and DOT.
const hostile = "x\"]\n end; graph { } --> %% #35; `a` <b> \\ | |"

// TestDotReadsGraphs renders all graphs, and one with a hostile name, with
// Graphviz.
func TestDotReadsGraphs(t *testing.T) {
	dot, err := exec.LookPath("dot")
	if err != nil {
		t.Skip("no dot (Graphviz) on PATH")
	}
	check := func(name, text string, nodes int) {
		cmd := exec.Command(dot, "-Tplain")
		cmd.Stdin = strings.NewReader(text)
		out, err := cmd.CombinedOutput()
		if n := strings.Count("\n"+string(out), "\nnode "); err != nil || n != nodes {
			t.Errorf("%s: %v: %d nodes, want %d: %.300s", name, err, n, nodes, out)
		}
	}
	for _, snapshot := range snapshots() {
		g := graphOf(t, snapshot)
		out, _, _ := program.Run(t, "graph", "--snapshot", snapshot, "-o", "dot")
		check(snapshot, out, len(g.Nodes)+len(g.Unknowns))
	}
	var b strings.Builder
	if err := hostileGraph().WriteDOT(&b); err != nil {
		t.Fatal(err)
	}
	check("hostile", b.String(), 2)
}

func hostileGraph() *graph.Graph {
	share := 1.0
	return &graph.Graph{
		Nodes: []graph.Node{{ID: "workload/" + hostile, Kind: "Workload", Name: hostile}, {ID: "service/" + hostile, Kind: "Service", Name: hostile, Broken: []string{hostile}}},
		Edges: []graph.Edge{{From: "workload/" + hostile, To: "service/" + hostile, Port: hostile, Share: &share, Route: &graph.Route{Kind: "Route", Match: hostile}, Broken: []string{"NO_CLUSTER"}}},
	}
}

const parseMermaid = `
import { JSDOM } from 'jsdom';
const dom = new JSDOM('<body></body>');
globalThis.window = dom.window;
globalThis.document = dom.window.document;
const mermaid = (await import('mermaid')).default;
let text = '';
for await (const chunk of process.stdin) text += chunk;
for (const one of text.split('\u0001')) {
  await mermaid.parse(one);
  const d = await mermaid.mermaidAPI.getDiagramFromText(one);
  const count = (x) => x === undefined ? 0 : x.size ?? x.length ?? Object.keys(x).length;
  console.log(d.type, count(d.db.getVertices?.() ?? d.db.getActors?.()), count(d.db.getEdges?.() ?? d.db.getMessages?.()));
}
`

// TestMermaidReadsGraphs parses all graphs and sequence diagrams with Mermaid,
// and compares the numbers of nodes with those of the graph.
func TestMermaidReadsGraphs(t *testing.T) {
	var texts, want []string
	for _, snapshot := range snapshots() {
		g := graphOf(t, snapshot)
		out, _, _ := program.Run(t, "graph", "--snapshot", snapshot, "-o", "mermaid")
		texts = append(texts, out)
		want = append(want, fmt.Sprintf("flowchart-v2 %d ", len(g.Nodes)+len(g.Unknowns)))
	}
	var b strings.Builder
	if err := hostileGraph().WriteMermaid(&b); err != nil {
		t.Fatal(err)
	}
	texts, want = append(texts, b.String()), append(want, "flowchart-v2 2 1")
	for _, line := range []string{
		"trace --snapshot demo productpage-v1 http://reviews:9080/reviews/1 --through", "trace --snapshot demo istio-ingressgateway http://nowhere.example.com/;x#y%%",
		"trace --snapshot demo reviews-v1 http://reviews:9080/ --inbound --from productpage-v1 -X POST", "trace --snapshot demo productpage-v1 tcp://10.0.0.1:3306",
	} {
		out, errs, code := program.Run(t, append(program.Words(line), "-o", "mermaid")...)
		if code != 0 && code != 1 && code != 6 || !strings.HasPrefix(out, "sequenceDiagram\n") {
			t.Fatalf("%s: %d %s", line, code, errs)
		}
		texts, want = append(texts, out), append(want, fmt.Sprintf("sequence %d ", strings.Count(out, "  participant ")))
	}
	lines := strings.Split(strings.TrimSpace(node(t, "mermaid", parseMermaid, strings.Join(texts, "\x01"))), "\n")
	for i, w := range want {
		if i >= len(lines) || !strings.HasPrefix(lines[i], w) {
			t.Errorf("%d: want %q of\n%s", i, w, strings.Join(lines, "\n"))
		}
	}
}
