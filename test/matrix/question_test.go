package matrix_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/plugin"
	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/query/shipped"
)

// A question is a command line of the plugin, without the flag for the snapshot.
type question struct {
	words []string
	kind  kind
}

// A kind says what the rows of an answer are.
type kind int

const (
	rows     kind = iota // rows of a table
	findings             // findings of checks
	facts                // facts that describe prints
	walk                 // the result of a trace
)

func (q question) String() string { return strings.Join(q.words, " ") }

// An answer is the output of a command line.
type answer struct {
	rows []any
	code int
	errs string
}

// questions returns command lines for every shipped query, for check, for describe, and for traces that a user would
// run. The single checks are left out, since check runs them all. For a sample, queries that only list are left out,
// too.
func (m *snapshot) questions(t *testing.T) (all []question) {
	t.Helper()
	for _, q := range shipped.All() {
		switch {
		case q.Words != "" || q.Severity != "": // describe is added below, and check runs every query with a severity
		case q.Name == "check":
			all = append(all, question{words: []string{q.Name}, kind: findings})
		case !m.sample || q.Name == "unreachable" || q.Name == "status":
			all = append(all, question{words: []string{q.Name}})
		}
	}
	urls := []string{"http://reviews:9080/reviews/1", "http://10.9.9.9:9080/", "https://secure.example.com/"}
	if m.sample {
		urls = urls[:1]
	}
	for _, id := range m.selectNames(t, `.proxies[] | select(.type != "ztunnel").id`, "ingressgateway", "waypoint", "reviews-v2", "ratings-v1") {
		all = append(all, question{[]string{"describe", "pod/" + id}, facts})
		for _, url := range urls {
			all = append(all, question{[]string{"trace", id, url}, walk})
		}
	}
	for _, s := range m.selectNames(t, `.services[].metadata | "\(.name).\(.namespace)"`, "reviews", "ratings", "istio-ingressgateway") {
		all = append(all, question{[]string{"describe", "svc/" + s}, facts})
	}
	return all
}

// selectNames runs a query whose results are strings, and returns those that contain one of the words. For a sample it
// returns the first two.
func (m *snapshot) selectNames(t *testing.T, query string, words ...string) (some []string) {
	t.Helper()
	a := m.ask(t, question{words: []string{query}})[0]
	for _, row := range a.rows {
		if s := row.(string); slices.ContainsFunc(words, func(w string) bool { return strings.Contains(s, w) }) {
			some = append(some, s)
		}
	}
	if len(some) < 2 {
		t.Fatalf("%s: %s gives %d of %v: %s", m.name, query, len(some), words, a.errs)
	}
	if m.sample {
		some = some[:2]
	}
	return some
}

// ask runs questions about the snapshot in its present state. They run in a process of their own, since cobra keeps
// every command line that it has run.
func (m *snapshot) ask(t *testing.T, questions ...question) (all []answer) {
	t.Helper()
	var words [][]string
	for _, q := range questions {
		words = append(words, append([]string{"kubectl-meshq", "--snapshot", m.dir, "-c"}, q.words...))
	}
	cmd := exec.Command(os.Args[0], "-test.run", "^TestChildProcess$")
	cmd.Env = append(os.Environ(), "MATRIX_RUNS="+text(words), "MATRIX_OUT="+m.dir+".out")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	b, err := os.ReadFile(m.dir + ".out")
	if err != nil {
		t.Fatal(err)
	}
	var runs []run
	if err := json.Unmarshal(b, &runs); err != nil {
		t.Fatal(err)
	}
	for _, r := range runs {
		all = append(all, answer{rows: decode(t, r.Out), code: r.Code, errs: r.Errs})
	}
	return all
}

// A run is the output of one command line.
type run struct {
	Out, Errs string
	Code      int
}

// TestChildProcess is not a test. ask starts it in a child process, where it runs the command lines in MATRIX_RUNS and
// writes their output to the file MATRIX_OUT.
func TestChildProcess(t *testing.T) {
	path := os.Getenv("MATRIX_OUT")
	if path == "" {
		t.Skip("it is the other tests' process")
	}
	var words [][]string
	if err := json.Unmarshal([]byte(os.Getenv("MATRIX_RUNS")), &words); err != nil {
		t.Fatal(err)
	}
	var runs []run
	for _, args := range words {
		var out, errs bytes.Buffer
		w := &process.World{Args: args, In: strings.NewReader(""), Out: &out, Err: &errs, Now: time.Now, Environ: []string{"HOME=" + filepath.Dir(path)}}
		code := plugin.Main(w)
		runs = append(runs, run{out.String(), errs.String(), code})
	}
	write(t, nil, path, []byte(text(runs)))
}

func decode(t *testing.T, lines string) (rows []any) {
	t.Helper()
	for d := json.NewDecoder(strings.NewReader(lines)); d.More(); {
		var v any
		if err := d.Decode(&v); err != nil {
			t.Fatalf("%v: %.200s", err, lines)
		}
		rows = append(rows, v)
	}
	return rows
}

// compare returns the faults of an answer about a mesh that lacks one part, given the answer about the whole mesh.
func (q question) compare(before, after answer) (wrong []string) {
	if after.code == 5 || after.code == 3 || after.code > 6 {
		return []string{fmt.Sprintf("exit code %d: %.300s", after.code, after.errs)}
	}
	if q.kind == findings {
		return compareFindings(before, after)
	}
	left, changed := difference(before.rows, after.rows)
	same := len(left) == 0 && len(changed) == 0
	for _, row := range changed {
		at := slices.IndexFunc(left, func(old any) bool { return covers(old, row) })
		switch {
		case at >= 0:
			left = slices.Delete(left, at, at+1)
		case !q.saysUnknown(row, before) && q.words[0] != "rootca": // rootca prints the number of proxies that were read, which may change
			wrong = append(wrong, fmt.Sprintf("new: %.300s", text(row)))
		}
	}
	sameVerdict := q.kind == walk && after.code == 1 && before.code == 1 && len(changed) == 1 && sameEnd(before.rows[0], changed[0])
	if !same && wrong == nil && !sameVerdict && (after.code == 0 || after.code == 1) {
		wrong = append(wrong, fmt.Sprintf("the answer differs, and exit code %d", after.code))
	}
	return wrong
}

// difference returns the rows that are in one of the answers only. Second-hand facts are not compared.
func difference(before, after []any) (gone, added []any) {
	n := map[string]int{}
	for _, row := range before {
		n[withoutSecondHand(row)]++
	}
	for _, row := range after {
		if k := withoutSecondHand(row); n[k] > 0 {
			n[k]--
		} else {
			added = append(added, row)
		}
	}
	for _, row := range before {
		if k := withoutSecondHand(row); n[k] > 0 {
			n[k]--
			gone = append(gone, row)
		}
	}
	return gone, added
}

// withoutSecondHand encodes a row without its second-hand facts.
func withoutSecondHand(row any) string {
	m, ok := row.(map[string]any)
	if !ok {
		return text(row)
	}
	out := map[string]any{}
	for k, v := range m {
		if !secondHand[k] {
			out[k] = v
		}
	}
	return text(out)
}

// saysUnknown reports whether a new row says itself that something is unknown. A trace with the same end as before
// counts as well: it may have fewer details on the way.
func (q question) saysUnknown(row any, before answer) bool {
	m, _ := row.(map[string]any)
	if m["kind"] == "UnreachableRoute" && m["reason"] == "UNKNOWN" {
		return true
	}
	switch q.kind {
	case facts:
		says, _ := m["says"].(string)
		return strings.Contains(says, "unknown")
	case walk:
		unknowns, _ := m["unknowns"].([]any)
		return len(unknowns) > 0 || sameEnd(before.rows[0], row)
	}
	return false
}

// sameEnd reports whether two traces end alike. A trace that failed, and still fails for the same reason, keeps its
// exit code.
func sameEnd(a, b any) bool {
	x, _ := a.(map[string]any)
	y, _ := b.(map[string]any)
	return x["reason"] == y["reason"] && x["reached"] == y["reached"] && text(x["endpoints"]) == text(y["endpoints"])
}

// compareFindings compares the answers of checks, finding by finding and proxy by proxy.
func compareFindings(before, after answer) (wrong []string) {
	was, is := byProxy(before.rows), byProxy(after.rows)
	unknown := map[string]bool{}
	for _, k := range slices.Sorted(maps.Keys(is)) {
		f := is[k]
		if f.unknown {
			unknown[f.check+"/"+f.proxy] = true
		} else if _, old := was[k]; !old {
			wrong = append(wrong, "new: "+k)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(was)) {
		f := was[k]
		if _, still := is[k]; !still && !f.unknown && !unknown[f.check+"/"+f.proxy] && !unknown[f.check+"/"] {
			wrong = append(wrong, "gone, and not unknown: "+k)
		}
	}
	if len(unknown) > 0 && after.code != 6 {
		wrong = append(wrong, fmt.Sprintf("%d unknown, and exit code %d", len(unknown), after.code))
	}
	return wrong
}

type finding struct {
	check, proxy string
	unknown      bool
}

// byProxy splits findings by proxy. The keys consist of check, proxy and subject.
func byProxy(rows []any) map[string]finding {
	all := map[string]finding{}
	for _, row := range rows {
		m := row.(map[string]any)
		proxies, _ := m["proxies"].([]any)
		if proxies == nil {
			proxies = []any{m["proxy"]}
		}
		for _, p := range proxies {
			f := finding{check: m["check"].(string), unknown: m["severity"] == "unknown"}
			f.proxy, _ = p.(string)
			all[fmt.Sprintf("%s %s %v %v", f.check, f.proxy, m["subject"], f.unknown)] = f
		}
	}
	return all
}

// secondHand lists the facts that are read from a second source if the first one is missing. The second source knows
// less, so it may report null. For a proxy whose connection is unknown it is the pod: a pod without an owner is its own
// workload, and its labels may differ from those that the proxy was started with. For endpoints without a dump it is
// Envoy's /clusters.
var secondHand = map[string]bool{"workload": true, "labels": true, "localityWeight": true, "overprovisioningFactor": true}

// covers reports whether a value is the same as before, apart from parts that have become null or unknown.
func covers(old, now any) bool {
	if now == nil || now == "unknown" || now == "UNKNOWN" {
		return true
	}
	was, ok := old.(map[string]any)
	is, isObject := now.(map[string]any)
	if !ok || !isObject {
		return text(old) == text(now)
	}
	for k, v := range is {
		if secondHand[k] {
			continue
		}
		if w, had := was[k]; had && !covers(w, v) || !had && v != nil {
			return false
		}
	}
	return true
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
