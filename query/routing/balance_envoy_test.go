package routing

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// A balanceCase has a cluster, and for each endpoint the number of requests that a
// real Envoy sent to it. Got[""] is the number of requests that reached no
// endpoint.
type balanceCase struct {
	Cluster  *object.Object `json:"cluster"`
	Criteria *object.Object `json:"criteria,omitempty"`
	Zone     *object.Object `json:"zone,omitempty"`  // the proxy's locality
	Local    *object.Object `json:"local,omitempty"` // the load assignment of the proxy's own cluster
	Requests int            `json:"requests"`
	Got      map[string]int `json:"got"`
}

const balanceGoldens = "testdata/balance.jsonl.gz"

// TestBalanceAsEnvoy compares the computed shares with the requests that a real
// Envoy 1.40 sent to each endpoint.
func TestBalanceAsEnvoy(t *testing.T) {
	f, err := os.Open(balanceGoldens)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	plain, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(plain)
	lines.Buffer(nil, 1<<20)
	n := 0
	for ; lines.Scan(); n++ {
		d := json.NewDecoder(strings.NewReader(lines.Text()))
		var c balanceCase
		if err := d.Decode(&c); err != nil {
			t.Fatal(err)
		}
		c.compare(t)
	}
	if n < 100 {
		t.Errorf("only %d clusters", n)
	}
}

// compare compares the request counts of a case with the computed shares. The
// counts are random, so a count may differ by five standard deviations. An
// endpoint whose share is 0 must have got no requests.
func (c *balanceCase) compare(t *testing.T) {
	t.Helper()
	b := c.balanced(t)
	sum, text := 0.0, ""
	bad := false
	for _, m := range b.Members {
		name := m.Endpoint.(*object.Object).Get("address").(string)
		got, want := float64(c.Got[name]), m.Share*float64(c.Requests)
		sum += m.Share
		slack := 5*math.Sqrt(want*(1-m.Share)) + 2
		if c.Cluster.Get("lbPolicy") == "RING_HASH" { // a hash ring doesn't divide requests evenly
			slack += want / 5
		}
		off := math.Abs(got-want) > slack || want == 0 && got > 0
		bad = bad || off
		text += fmt.Sprintf("\n%s p%d %s %s w%v: %.0f, want %.1f", name, m.priority, m.Health, m.locality, m.weight, got, want)
	}
	lost := b.Lost * float64(c.Requests)
	bad = bad || math.Abs(sum+b.Lost-1) > 1e-9 || (sum == 0) != (b.Reason != "") || math.Abs(float64(c.Got[""])-lost) > 5*math.Sqrt(lost*(1-b.Lost))+2
	if bad {
		cluster, _ := json.Marshal(c)
		t.Errorf("%s%s\nnowhere %d of %d, shares %.3f, %s %s", cluster, text, c.Got[""], c.Requests, sum, b.Reason, b.Why)
	}
}

func (c *balanceCase) balanced(t *testing.T) *Balanced {
	t.Helper()
	var zone func() (*Zone, error)
	if c.Zone != nil {
		zone = func() (*Zone, error) { return &Zone{Locality: c.Zone, Local: assignedRows(c.Local)}, nil }
	}
	b, err := Balance(context.Background(), whole(c.Cluster), assignedRows(c.Cluster.Get("loadAssignment")), c.Criteria, zone)
	if err != nil || len(b.Unsupported) > 0 {
		t.Fatal(err, b.Unsupported)
	}
	return b
}

// whole converts each float with an integral value to an int, since the JSON
// decoder returns all numbers as floats.
func whole(v any) any {
	switch x := v.(type) {
	case *object.Object:
		out := object.New(0)
		for k, w := range x.All() {
			out.Set(k, whole(w))
		}
		return out
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = whole(x[i])
		}
		return out
	case float64:
		if x == math.Trunc(x) {
			return int(x)
		}
	}
	return v
}

// assignedRows converts a load assignment to endpoints as in the document.
func assignedRows(v any) (rows []any) {
	assignment, _ := whole(v).(*object.Object)
	factor := any(140)
	if p, ok := assignment.Get("policy").(*object.Object); ok {
		factor = p.Get("overprovisioningFactor")
	}
	groups, _ := assignment.Get("endpoints").([]any)
	for _, g := range groups {
		group := g.(*object.Object)
		hosts, _ := group.Get("lbEndpoints").([]any)
		for _, h := range hosts {
			host := h.(*object.Object)
			at := host.Get("endpoint").(*object.Object).Get("address").(*object.Object).Get("socketAddress").(*object.Object)
			rows = append(rows, object.Of(
				"address", fmt.Sprint(at.Get("address"), ":", at.Get("portValue")), "health", host.Get("healthStatus"), "weight", host.Get("loadBalancingWeight"),
				"priority", group.Get("priority"), "locality", group.Get("locality"), "localityWeight", group.Get("loadBalancingWeight"),
				"overprovisioningFactor", factor, "metadata", host.Get("metadata"),
			))
		}
	}
	return rows
}

var (
	recordBalance = flag.Bool("record-balance", false, "write the goldens of how endpoints are chosen, by the Envoy of ENVOY_BIN")
	balanceSeed   = flag.Uint64("balance-seed", 0, "the seed of the clusters; 0 is a new one")
)

// TestBalanceLive compares the computed shares for random clusters with the
// requests that the Envoy binary in ENVOY_BIN sends.
func TestBalanceLive(t *testing.T) {
	bin := os.Getenv("ENVOY_BIN")
	if bin == "" {
		t.Skip("ENVOY_BIN is not set")
	}
	seed := *balanceSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Log("seed", seed)
	r := rand.New(rand.NewPCG(seed, 7))
	var all []*balanceCase
	for _, zoned := range []bool{false, true, true} {
		cases := randomClusters(r, 60, zoned)
		askEnvoy(t, bin, cases)
		all = append(all, cases...)
	}
	for _, c := range all {
		c.compare(t)
	}
	if *recordBalance {
		var text bytes.Buffer
		packed := gzip.NewWriter(&text)
		for _, c := range all {
			if err := json.NewEncoder(packed).Encode(c); err != nil {
				t.Fatal(err)
			}
		}
		if err := packed.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(balanceGoldens, text.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// randomClusters returns n random clusters for one Envoy. If zoned is true, that
// Envoy has a locality and belongs to a local cluster.
func randomClusters(r *rand.Rand, n int, zoned bool) (all []*balanceCase) {
	var zone, local *object.Object
	if zoned {
		zone = object.Of("region", "r", "zone", "z"+strconv.Itoa(r.IntN(2)))
		local = randomAssignment(r, "local", 1, 3+r.IntN(10), 2)
	}
	for i := range n {
		name := "c" + strconv.Itoa(i)
		c := &balanceCase{Zone: zone, Local: local, Requests: 1500, Got: map[string]int{}}
		hosts, priorities := 1+r.IntN(8), 1+r.IntN(3)
		if zoned {
			hosts, priorities = 5+r.IntN(10), 1+r.IntN(2)
		}
		common := object.New(0)
		switch r.IntN(4) {
		case 0:
			common.Set("healthyPanicThreshold", object.Of("value", []int{0, 20, 40, 70}[r.IntN(4)]))
		case 1:
			common.Set("healthyPanicThreshold", object.New(0))
		}
		switch {
		case !zoned && r.IntN(2) == 0:
			common.Set("localityWeightedLbConfig", object.New(0))
		case zoned && r.IntN(2) == 0 || r.IntN(6) == 0:
			aware := object.New(0)
			if r.IntN(3) == 0 {
				aware.Set("failTrafficOnPanic", true)
			}
			if r.IntN(3) == 0 {
				aware.Set("minClusterSize", r.IntN(12))
			}
			if r.IntN(4) == 0 {
				aware.Set("routingEnabled", object.Of("value", 40))
			}
			common.Set("zoneAwareLbConfig", aware)
		}
		c.Cluster = object.Of(
			"name", name, "type", "STATIC", "connectTimeout", "1s", "lbPolicy", []string{"ROUND_ROBIN", "RANDOM", "LEAST_REQUEST"}[r.IntN(3)],
			"commonLbConfig", common, "loadAssignment", randomAssignment(r, name, priorities, hosts, 3),
		)
		if !zoned && r.IntN(6) == 0 {
			c.Cluster.Set("lbPolicy", []string{"RING_HASH", "MAGLEV"}[r.IntN(2)])
			if c.Cluster.Get("lbPolicy") == "RING_HASH" {
				c.Cluster.Set("ringHashLbConfig", object.Of("minimumRingSize", 20_000))
			}
		}
		if r.IntN(4) == 0 {
			subset := object.Of(
				"fallbackPolicy", []string{"NO_FALLBACK", "ANY_ENDPOINT", "DEFAULT_SUBSET"}[r.IntN(3)],
				"defaultSubset", object.Of("v", "1"),
				"subsetSelectors", []any{object.Of("keys", []any{"v"}), object.Of("keys", []any{"v", "w"})},
			)
			if common.Get("localityWeightedLbConfig") != nil && r.IntN(2) == 0 { // Envoy rejects localityWeightAware without localityWeightedLbConfig
				subset.Set("localityWeightAware", true)
				subset.Set("scaleLocalityWeight", r.IntN(2) == 0)
			}
			c.Cluster.Set("lbSubsetConfig", subset)
			if r.IntN(4) > 0 {
				c.Criteria = object.Of("v", strconv.Itoa(r.IntN(3)))
			}
			if r.IntN(4) == 0 {
				c.Criteria = object.Of("w", "1")
			}
		}
		all = append(all, c)
	}
	return all
}

var nextHost = 0

func randomAssignment(r *rand.Rand, name string, priorities, hosts, zones int) *object.Object {
	groups := map[string]*object.Object{}
	var order []string
	sick := r.IntN(3)
	weighs := r.IntN(2) == 0
	for range hosts {
		p, z := r.IntN(priorities), r.IntN(zones)
		key := fmt.Sprint(p, z)
		g := groups[key]
		if g == nil {
			g = object.Of("priority", p, "locality", object.Of("region", "r", "zone", "z"+strconv.Itoa(z)), "lbEndpoints", []any{})
			if r.IntN(5) > 0 {
				g.Set("loadBalancingWeight", 1+r.IntN(9))
			}
			groups[key] = g
			order = append(order, key)
		}
		nextHost++
		h := object.Of(
			"endpoint", object.Of("address", object.Of("socketAddress", object.Of("address", fmt.Sprintf("127.1.%d.%d", nextHost/250%250, 1+nextHost%250), "portValue", 0))),
			"metadata", object.Of("filterMetadata", object.Of("envoy.lb", object.Of("v", strconv.Itoa(r.IntN(2)), "w", "1"))),
		)
		if weighs {
			h.Set("loadBalancingWeight", 1+r.IntN(5))
		}
		if r.IntN(3) < sick {
			h.Set("healthStatus", []string{"UNHEALTHY", "UNHEALTHY", "DEGRADED", "DRAINING", "TIMEOUT"}[r.IntN(5)])
		}
		g.Set("lbEndpoints", append(g.Get("lbEndpoints").([]any), h))
	}
	slices.Sort(order)
	var all []any
	for _, k := range order { // Envoy requires consecutive priorities
		all = append(all, groups[k])
	}
	at, last := -1, -1
	for _, g := range all {
		if p := g.(*object.Object).Get("priority").(int); p != last {
			at, last = at+1, p
		}
		g.(*object.Object).Set("priority", at)
	}
	out := object.Of("clusterName", name, "endpoints", all)
	if r.IntN(4) == 0 {
		out.Set("policy", object.Of("overprovisioningFactor", 100+r.IntN(100)))
	}
	return out
}

// askEnvoy starts an Envoy with the clusters, sends the requests of each case, and
// counts the requests that each endpoint gets.
func askEnvoy(t *testing.T, bin string, cases []*balanceCase) {
	t.Helper()
	free := func() int {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return l.Addr().(*net.TCPAddr).Port
	}
	in, echo := free(), free()
	var clusters, routes []any
	placed := func(assignment *object.Object) {
		for _, g := range assignment.Get("endpoints").([]any) {
			for _, h := range g.(*object.Object).Get("lbEndpoints").([]any) {
				h.(*object.Object).Get("endpoint").(*object.Object).Get("address").(*object.Object).Get("socketAddress").(*object.Object).Set("portValue", echo)
			}
		}
	}
	for _, c := range cases {
		placed(c.Cluster.Get("loadAssignment").(*object.Object))
		clusters = append(clusters, c.Cluster)
		action := object.Of("cluster", c.Cluster.Get("name"), "timeout", "5s")
		if c.Criteria != nil {
			action.Set("metadataMatch", object.Of("filterMetadata", object.Of("envoy.lb", c.Criteria)))
		}
		routes = append(routes, object.Of("match", object.Of("prefix", "/"+c.Cluster.Get("name").(string)+"/"), "route", action))
	}
	manager, node := object.New(0), object.Of("id", "n", "cluster", "n")
	if local := cases[0].Local; local != nil {
		placed(local)
		clusters = append(clusters, object.Of("name", "local", "type", "STATIC", "connectTimeout", "1s", "loadAssignment", local))
		manager.Set("localClusterName", "local")
		node.Set("locality", cases[0].Zone)
	}
	hcm := func(hosts []any, more *object.Object) *object.Object {
		config := object.Of(
			"@type", "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", "statPrefix", "s",
			"routeConfig", object.Of("virtualHosts", hosts),
			"httpFilters", []any{object.Of("name", "router", "typedConfig", object.Of("@type", "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"))},
		)
		for k, v := range more.All() {
			config.Set(k, v)
		}
		return object.Of("filters", []any{object.Of("name", "hcm", "typedConfig", config)})
	}
	host := func(more *object.Object, routes ...any) []any {
		h := object.Of("name", "v", "domains", []any{"*"}, "routes", routes)
		for k, v := range more.All() {
			h.Set(k, v)
		}
		return []any{h}
	}
	said := object.Of("responseHeadersToAdd", []any{object.Of("header", object.Of("key", "x-host", "value", "%UPSTREAM_HOST%"))})
	listener := func(name, address string, port int, chain *object.Object) *object.Object {
		return object.Of("name", name, "address", object.Of("socketAddress", object.Of("address", address, "portValue", port)), "filterChains", []any{chain})
	}
	config := object.Of(
		"node", node, "clusterManager", manager,
		"staticResources", object.Of("clusters", clusters, "listeners", []any{
			listener("in", "127.0.0.1", in, hcm(host(said, routes...), nil)),
			listener("echo", "0.0.0.0", echo, hcm(host(nil, object.Of("match", object.Of("prefix", "/"), "directResponse", object.Of("status", 200))), nil)),
		}),
	)
	text, _ := json.Marshal(config)
	file := filepath.Join(t.TempDir(), "envoy.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	logged, _ := os.Create(filepath.Join(t.TempDir(), "log"))
	cmd := exec.Command(bin, "-c", file, "--concurrency", "1", "--use-dynamic-base-id", "-l", "error")
	cmd.Stderr = logged
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	base := "http://127.0.0.1:" + strconv.Itoa(in)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if res, err := http.Get(base + "/"); err == nil {
			_ = res.Body.Close()
			break
		}
		if time.Now().After(deadline) {
			log, _ := os.ReadFile(logged.Name())
			t.Fatalf("Envoy does not answer: %s", log)
		}
	}
	for _, c := range cases {
		for range c.Requests {
			res, err := http.Get(base + "/" + c.Cluster.Get("name").(string) + "/")
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			to := res.Header.Get("x-host")
			if res.StatusCode == 503 {
				to = ""
			}
			c.Got[to]++
		}
	}
}
