package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshq/kubectl-meshq/test/e2e/mesh"
)

// An istioctl runs Istio's own command, in the version of istiod.
type istioctl struct {
	*world
	path string
}

// newIstioctl prepares istioctl and the mesh. istioctl connects to istiod over xDS with the token of the default
// service account. In a real cluster a controller creates that account; here the test does.
func newIstioctl(t *testing.T, w *world) *istioctl {
	t.Helper()
	root, err := filepath.Abs(".")
	must(t, err)
	i := &istioctl{world: w}
	i.path, err = mesh.FindIstioctl(t.Context(), root, t.Output())
	must(t, err)
	account := []string{"serviceaccount", "default", "-n", "istio-system"}
	w.administer(t, append([]string{"create"}, account...)...)
	t.Cleanup(func() { w.administer(t, append([]string{"delete"}, account...)...) })
	return i
}

// administer runs kubectl as the administrator.
func (w *world) administer(t *testing.T, words ...string) {
	t.Helper()
	w.start(t, w.Kubeconfig, words...).end().exits(0)
}

// says runs istioctl and returns its output.
func (i *istioctl) says(t *testing.T, words ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second) // not t.Context(), since says is also used for cleanup
	defer cancel()
	cmd := exec.CommandContext(ctx, i.path, words...)
	cmd.Dir = i.folder(t)
	cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=" + cmd.Dir, "KUBECONFIG=" + i.Kubeconfig}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("istioctl %q: %v\n%s", words, err, errs.String())
	}
	return out.String()
}

// saysOf runs istioctl for one proxy. Unlike the plugin, istioctl doesn't read the admin port from the pod, so it gets
// the port as a flag.
func (i *istioctl) saysOf(t *testing.T, p *mesh.Proxy, words ...string) string {
	t.Helper()
	return i.says(t, append(words, p.ID(), "--proxy-admin-port", strconv.Itoa(p.AdminPort))...)
}

// A pair is a table of istioctl and the plugin's table that must have the same cells.
type pair struct {
	name         string
	theirs, ours []string // headers of the columns to compare; if ours is nil, they are the same as theirs
	words        []string // istioctl's arguments, without the proxy; the plugin's are the same
	but          string   // an intended difference, and its reason
	change       func(ours []string)
	leave        func(ours []string) bool
	once         bool // whether equal rows count as one
}

func pairs() []pair {
	return []pair{
		{
			name: "cluster", words: []string{"pc", "cluster"},
			theirs: []string{"SERVICE FQDN", "PORT", "SUBSET", "DIRECTION", "TYPE", "DESTINATION RULE"},
			but:    "what is empty says -",
		},
		{
			name: "listener", words: []string{"pc", "listener"},
			theirs: []string{"ADDRESSES", "PORT", "MATCH", "DESTINATION"},
			but:    "a chain that ends in BlackHoleCluster says so, where istioctl says what it isn't",
			change: func(ours []string) {
				if ours[3] == "BlackHoleCluster" {
					ours[3] = "Non-HTTP/Non-TCP"
				}
			},
		},
		{
			name: "listeners, short", words: []string{"pc", "listener", "--verbose=false"},
			theirs: []string{"ADDRESSES", "PORT", "TYPE"},
		},
		{
			name: "route", words: []string{"pc", "route"},
			theirs: []string{"NAME", "VHOST NAME", "DOMAINS", "MATCH", "VIRTUAL SERVICE"},
			ours:   []string{"NAME", "VHOST", "DOMAINS", "MATCH", "VIRTUAL SERVICE"},
			but:    "routes to PassthroughCluster, and configurations without a virtual host, are shown: it is what Envoy does; what Envoy lists twice, alike, is there once",
			leave:  func(ours []string) bool { return ours[1] == "" || ours[1] == "allow_any" },
			once:   true,
		},
		{
			name: "routes, short", words: []string{"pc", "route", "--verbose=false"},
			theirs: []string{"NAME", "VIRTUAL HOSTS"}, once: true,
		},
		{
			name: "endpoint", words: []string{"pc", "endpoint"},
			theirs: []string{"ENDPOINT", "STATUS", "OUTLIER CHECK", "CLUSTER"},
		},
		{
			name: "eds", words: []string{"pc", "eds"},
			theirs: []string{"NAME", "STATUS", "LOCALITY", "CLUSTER"},
			ours:   []string{"ENDPOINT", "STATUS", "LOCALITY", "CLUSTER"},
			but:    "a pipe is unix://PATH, as in istioctl's own table of endpoints",
			change: func(ours []string) { ours[0] = strings.TrimPrefix(ours[0], "unix://") },
		},
		{
			name: "secret", words: []string{"pc", "secret"},
			theirs: []string{"RESOURCE NAME", "TYPE", "STATUS", "VALID CERT", "SERIAL NUMBER", "NOT AFTER", "NOT BEFORE"},
			ours:   []string{"NAME", "TYPE", "STATUS", "VALID CERT", "SERIAL NUMBER", "NOT AFTER", "NOT BEFORE"},
		},
	}
}

// istioctlHealthy checks that the plugin's tables of a healthy mesh have the same cells as istioctl's, for each proxy.
func istioctlHealthy(t *testing.T, w *world) {
	i := newIstioctl(t, w)
	defer i.addExtension(t)()
	for _, p := range w.byID() {
		for _, table := range pairs() {
			i.same(t, table, p)
		}
		i.sameBootstrap(t, p)
		i.sameLoggers(t, p)
	}
	i.sameExtensions(t)
	i.sameStatus(t)
	i.sameDiff(t, "productpage-v1")
}

// istioctlFaults checks the same for three proxies of a mesh that have a fault.
func istioctlFaults(t *testing.T, w *world) {
	i := newIstioctl(t, w)
	w.stall(t, "reviews-v2")
	must(t, w.Reject(t.Context(), w.proxy(t, "ratings-v1")))
	w.awaitStatus(t, "ratings-v1", "lds", "ERROR")
	must(t, w.Withhold(t.Context()))
	w.awaitStatus(t, "istio-ingressgateway", "sds", "NOT SENT")
	for _, workload := range []string{"reviews-v2", "ratings-v1", "istio-ingressgateway"} {
		for _, table := range pairs() {
			i.same(t, table, w.proxy(t, workload))
		}
	}
	i.sameStatus(t)
	for _, workload := range []string{"reviews-v1", "reviews-v2", "ratings-v1"} {
		i.sameDiff(t, workload)
	}
}

// same compares two tables of a proxy without regard to the order of rows. It tries again if istiod has just pushed a
// change.
func (i *istioctl) same(t *testing.T, table pair, p *mesh.Proxy) {
	t.Helper()
	headers := table.ours
	if headers == nil {
		headers = table.theirs
	}
	var diff string
	for range 3 {
		theirs := cells(t, i.saysOf(t, p, table.words...), table.theirs)
		ours := cells(t, i.ask(t, append(table.words, p.ID())...).exits(0).quiet().out, headers)
		if len(theirs) == 0 {
			t.Fatalf("%s: %s: istioctl has no row", p.ID(), table.name)
		}
		if diff = cmp.Diff(table.compared(theirs, false), table.compared(ours, true)); diff == "" {
			return
		}
	}
	t.Errorf("%s: %s (-istioctl +meshq), but for %q:\n%s", p.ID(), table.name, table.but, diff)
}

// compared turns rows into sorted lines, ready to compare.
func (table pair) compared(rows [][]string, ours bool) (lines []string) {
	for _, row := range rows {
		for n := range row {
			if row[n] == "-" || row[n] == "<none>" {
				row[n] = ""
			}
		}
		if ours && table.leave != nil && table.leave(row) {
			continue
		}
		if ours && table.change != nil {
			table.change(row)
		}
		lines = append(lines, strings.Join(row, " | "))
	}
	slices.Sort(lines)
	if table.once {
		lines = slices.Compact(lines)
	}
	return lines
}

// cells parses a table. It returns the cells below the given headers in each line. A cell starts in the same column as
// its header.
func cells(t *testing.T, text string, headers []string) (rows [][]string) {
	t.Helper()
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	var from []int
	at := 0
	for _, h := range headers {
		n := strings.Index(lines[0][at:]+" ", h+" ")
		if n < 0 {
			t.Fatalf("no column %s in %q", h, lines[0])
		}
		at += n
		from = append(from, at)
		at += len(h)
	}
	for _, line := range lines[1:] {
		var row []string
		for n, begin := range from {
			end := len(line)
			// The column ends where the table's next column starts, even if that one isn't selected.
			if rest := lines[0][min(len(lines[0]), begin+len(headers[n])):]; strings.TrimSpace(rest) != "" {
				end = begin + len(headers[n]) + len(rest) - len(strings.TrimLeft(rest, " "))
			}
			row = append(row, strings.TrimSpace(line[min(begin, len(line)):min(end, len(line))]))
		}
		rows = append(rows, row)
	}
	return rows
}

// sameStatus compares the states in the output of proxy-status -v 1. The ages may differ by the seconds between the two
// runs.
func (i *istioctl) sameStatus(t *testing.T) {
	t.Helper()
	theirs, ours := i.says(t, "proxy-status", "-v", "1"), i.ask(t, "proxy-status", "-v", "1").exits(0).quiet().out
	known := regexp.MustCompile(`^(\S[^(]*?)(?: \((\w+)\))?$`)
	for _, short := range []string{"CDS", "LDS", "EDS", "RDS", "ECDS", "SDS"} {
		switch in := strings.Contains(ours, " "+short+" "); {
		case in != strings.Contains(theirs, " "+short+" ") && (in || short != "ECDS"): // the plugin has no column for a type that all proxies ignore
			t.Errorf("%s: istioctl\n%s\nmeshq\n%s", short, theirs, ours)
			continue
		case !in:
			continue
		}
		want, got := cells(t, theirs, []string{"NAME", short}), cells(t, ours, []string{"NAME", short})
		for n := range want {
			if n >= len(got) || got[n][0] != want[n][0] {
				t.Fatalf("istioctl\n%s\nmeshq\n%s", theirs, ours)
			}
			a, b := known.FindStringSubmatch(want[n][1]), known.FindStringSubmatch(got[n][1])
			if a == nil || b == nil || a[1] != b[1] || (a[2] == "") != (b[2] == "") || a[2] != "" && (span(t, a[2])-span(t, b[2])).Abs() > 10*time.Second {
				t.Errorf("%s: %s is %q, istioctl says %q", want[n][0], short, got[n][1], want[n][1])
			}
		}
	}
	pilot := cells(t, theirs, []string{"NAME", "ISTIOD", "VERSION"})
	if diff := cmp.Diff(pilot, cells(t, ours, []string{"NAME", "PILOT", "VERSION"})); diff != "" {
		t.Errorf("the Pilots (-istioctl +meshq):\n%s", diff)
	}
}

func span(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(text)
	must(t, err)
	return d
}

// sameDiff compares which sections of a proxy match istiod's configuration. istioctl compares three sections.
func (i *istioctl) sameDiff(t *testing.T, workload string) {
	t.Helper()
	p := i.proxy(t, workload)
	match := regexp.MustCompile(`(?m)^(Clusters|Listeners|Routes) Match`)
	theirs := match.FindAllString(i.saysOf(t, p, "ps"), -1)
	a := i.ask(t, "ps", p.ID())
	if diff := cmp.Diff(theirs, match.FindAllString(a.out, -1)); diff != "" {
		t.Errorf("%s: what matches (-istioctl +meshq):\n%s\n%s", p.ID(), diff, clip(a.out))
	}
	if (a.code == 0) != (len(theirs) == 3) {
		t.Errorf("%s: exit %d, and istioctl says %q match", p.ID(), a.code, theirs)
	}
}

// sameBootstrap compares the bootstrap configuration and the versions of a proxy.
func (i *istioctl) sameBootstrap(t *testing.T, p *mesh.Proxy) {
	t.Helper()
	var theirs struct{ Bootstrap map[string]any }
	var ours map[string]any
	must(t, json.Unmarshal([]byte(i.saysOf(t, p, "pc", "bootstrap")), &theirs))
	must(t, json.Unmarshal([]byte(i.ask(t, "pc", "bootstrap", p.ID(), "-o", "json").exits(0).quiet().out), &ours))
	if len(theirs.Bootstrap) == 0 {
		t.Fatal("istioctl has no bootstrap")
	}
	if diff := cmp.Diff(theirs.Bootstrap, ours); diff != "" {
		t.Errorf("%s: bootstrap (-istioctl +meshq):\n%s", p.ID(), diff)
	}
	short := i.ask(t, "pc", "bootstrap", p.ID(), "-o", "short").exits(0).quiet().out
	for line := range strings.Lines(i.saysOf(t, p, "pc", "bootstrap", "-o", "short")) {
		_, version, _ := strings.Cut(strings.TrimSpace(line), ": ")
		if !slices.Contains(strings.Fields(short), strings.TrimSpace(version)) {
			t.Errorf("%s: %q is not in\n%s", p.ID(), line, short)
		}
	}
}

// loggers returns the log levels of a proxy according to istioctl, as sorted lines "NAME LEVEL".
func (i *istioctl) loggers(t *testing.T, p *mesh.Proxy) (lines []string) {
	t.Helper()
	for line := range strings.Lines(i.saysOf(t, p, "pc", "log")) {
		if name, level, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
			lines = append(lines, name+" "+level)
		}
	}
	slices.Sort(lines)
	return lines
}

func (i *istioctl) sameLoggers(t *testing.T, p *mesh.Proxy) {
	t.Helper()
	var ours []string
	for _, row := range cells(t, i.ask(t, "pc", "log", p.ID()).exits(0).quiet().out, []string{"LOGGER", "LEVEL"}) {
		ours = append(ours, strings.Join(row, " "))
	}
	slices.Sort(ours)
	if diff := cmp.Diff(i.loggers(t, p), ours); diff != "" {
		t.Errorf("%s: loggers (-istioctl +meshq):\n%s", p.ID(), diff)
	}
}

// levelsSet is how many requests the scenario Levels sends to an Envoy to change its log levels.
const levelsSet = 4

// levels checks that istioctl sees the log levels set by log --level, the only command that changes a proxy.
func levels(t *testing.T, w *world) {
	i := newIstioctl(t, w)
	p := w.proxy(t, "reviews-v1")
	unusual := func() (out []string) {
		for _, line := range i.loggers(t, p) {
			if !strings.HasSuffix(line, " warning") {
				out = append(out, line)
			}
		}
		return out
	}
	if got := unusual(); got != nil {
		t.Fatalf("before: %q", got)
	}
	w.ask(t, "log", "--level", "debug").exits(2).says("of which proxies")
	w.ask(t, "log", "--level", "loud", "reviews-v1").exits(2).says(`"loud" is none of`)
	a := w.ask(t, "pc", "log", "reviews-v1", "--level", "http:debug,rbac=trace", "-o", "json").exits(0).quiet()
	if want := []string{"http debug", "rbac trace"}; !slices.Equal(unusual(), want) || !strings.Contains(a.out, `"debug"`) || !strings.Contains(a.out, `"trace"`) {
		t.Errorf("%q, want %q; it said\n%s", unusual(), want, clip(a.out))
	}
	w.ask(t, "log", "reviews-v1", "--level", "nosuch:debug").exits(6).says("reviews-v1", "unknown logger")
	w.ask(t, "log", "-l", "app=reviews,version=v1", "--reset").exits(0).quiet()
	if got := unusual(); got != nil {
		t.Errorf("after: %q", got)
	}
}

const extensionText = `
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: extension, namespace: default}
spec:
  workloadSelector: {labels: {app: productpage}}
  configPatches:
  - applyTo: EXTENSION_CONFIG
    match: {context: SIDECAR_INBOUND}
    patch:
      operation: ADD
      value:
        name: a-lua-extension
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua
          default_source_code: {inline_string: "function envoy_on_request(handle) end"}
  - applyTo: HTTP_FILTER
    match:
      context: SIDECAR_INBOUND
      listener: {filterChain: {filter: {name: envoy.filters.network.http_connection_manager, subFilter: {name: envoy.filters.http.router}}}}
    patch:
      operation: INSERT_BEFORE
      value:
        name: a-lua-extension
        config_discovery:
          config_source: {ads: {}, resource_api_version: V3, initial_fetch_timeout: 0s}
          type_urls: [type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua]
`

// addExtension makes istiod send an extension to one proxy by ECDS. An Envoy stays subscribed to an extension until it
// exits, so remove kills the Envoy at the end. It first waits until the Envoy has dropped the extension; otherwise
// istiod would send it again.
func (i *istioctl) addExtension(t *testing.T) (remove func()) {
	t.Helper()
	p, file := i.proxy(t, "productpage-v1"), filepath.Join(i.folder(t), "extension.yaml")
	must(t, os.WriteFile(file, []byte(extensionText), 0o600))
	i.administer(t, "apply", "-f", file)
	i.awaitStatus(t, "productpage-v1", "ecds", "SYNCED")
	const listens = `any(.proxy("productpage-v1").listeners[] | tojson; contains("a-lua-extension"))`
	i.ask(t, listens).exits(0).is(true)
	return func() {
		i.administer(t, "delete", "-f", file)
		for end := time.Now().Add(20 * time.Second); i.ask(t, listens).exits(0).out != "false\n"; time.Sleep(50 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("the extension is not removed")
			}
		}
		i.Kill(p)
	}
}

func (i *istioctl) sameExtensions(t *testing.T) {
	t.Helper()
	p := i.proxy(t, "productpage-v1")
	theirs := cells(t, i.saysOf(t, p, "pc", "ecds"), []string{"ECDS NAME", "TYPE"})
	if len(theirs) != 1 {
		t.Errorf("istioctl's extensions: %q", theirs)
	}
	if diff := cmp.Diff(theirs, cells(t, i.ask(t, "pc", "ecds", p.ID()).exits(0).quiet().out, []string{"NAME", "TYPE"})); diff != "" {
		t.Errorf("extensions (-istioctl +meshq):\n%s", diff)
	}
}

// TestIstioctlFiles compares the output of istioctl and the plugin for dumps in files. The files are Istio's own test
// data. The test is skipped if they don't exist.
func TestIstioctlFiles(t *testing.T) {
	const data = "../../../shared/istio-testdata"
	if _, err := os.Stat(data); err != nil {
		t.Skip("no data of Istio's here")
	}
	root, err := filepath.Abs(".")
	must(t, err)
	program, err := mesh.FindIstioctl(t.Context(), root, t.Output())
	must(t, err)
	meshq := *built
	if meshq == "" {
		meshq = filepath.Join(t.TempDir(), "kubectl-meshq")
		build := exec.CommandContext(t.Context(), "go", "build", "-o", meshq, ".")
		build.Dir = filepath.Join(root, "../..")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("the plugin does not build: %v\n%s", err, out)
		}
	}
	says := func(program string, words ...string) string {
		cmd := exec.CommandContext(t.Context(), program, words...)
		cmd.Env = []string{"HOME=" + t.TempDir()}
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s %q: %v", program, words, err)
		}
		return string(out)
	}
	chain := pair{but: "every certificate of a chain is a row: istioctl shows the first", once: true}
	chain.leave = func(ours []string) bool { return ours[0] == "default" && ours[1] == "CA" }
	pipe := pair{but: "a pipe is unix://PATH, as in istioctl's own table of endpoints"}
	pipe.change = func(ours []string) { ours[0] = strings.TrimPrefix(ours[0], "unix://") }
	for _, c := range []struct {
		file, word   string
		theirs, ours []string
		pair
	}{
		{"ecds.config_dump.json", "ecds", []string{"ECDS NAME", "TYPE"}, []string{"NAME", "TYPE"}, pair{}},
		{"eds.config_dump.json", "eds", []string{"NAME", "STATUS", "LOCALITY", "CLUSTER"}, []string{"ENDPOINT", "STATUS", "LOCALITY", "CLUSTER"}, pipe},
		{"secret-istio.config_dump.json", "secret", []string{"RESOURCE NAME", "TYPE", "STATUS", "SERIAL NUMBER"}, []string{"NAME", "TYPE", "STATUS", "SERIAL NUMBER"}, chain},
		{"secret-spire.config_dump.json", "secret", []string{"RESOURCE NAME", "TYPE", "STATUS", "SERIAL NUMBER", "TRUST DOMAIN"}, []string{"NAME", "TYPE", "STATUS", "SERIAL NUMBER", "TRUST DOMAIN"}, chain},
		{"1.6-clusters.json", "endpoint", []string{"ENDPOINT", "STATUS", "OUTLIER CHECK", "CLUSTER"}, []string{"ENDPOINT", "STATUS", "OUTLIER CHECK", "CLUSTER"}, pair{}},
	} {
		path := filepath.Join(data, c.file)
		theirs := c.compared(cells(t, says(program, "pc", c.word, "-f", path), c.theirs), false)
		ours := c.compared(cells(t, says(meshq, "pc", c.word, "-f", path), c.ours), true)
		if diff := cmp.Diff(theirs, ours); diff != "" || len(theirs) == 0 {
			t.Errorf("%s: pc %s (-istioctl +meshq), but for %q:\n%s", c.file, c.word, c.but, diff)
		}
	}
}
