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
	"github.com/meshq/kubectl-meshq/query/shipped"
)

// A question is one command line behind the snapshot.
type question struct {
	words []string
	kind  kind
}

// A kind of answer, by what its rows are.
type kind int

const (
	rows     kind = iota // of a table
	findings             // of checks
	facts                // what describe says
	walk                 // a trace
)

func (q question) String() string { return strings.Join(q.words, " ") }

// An answer is the rows that were printed, and the exit code.
type answer struct {
	rows []any
	code int
	errs string
}

// questions are every shipped query, check (which judges each of its checks by
// itself), describe, and traces as a user writes them. A sample leaves out the
// queries that only list.
func (m *taken) questions(t *testing.T) (all []question) {
	t.Helper()
	for _, q := range shipped.All() {
		switch {
		case q.Words != "" || q.Severity != "": // describe is below, a check is part of check
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
	for _, id := range m.chosen(t, `.proxies[] | select(.type != "ztunnel").id`, "ingressgateway", "waypoint", "reviews-v2", "ratings-v1") {
		all = append(all, question{[]string{"describe", "pod/" + id}, facts})
		for _, url := range urls {
			all = append(all, question{[]string{"trace", id, url}, walk})
		}
	}
	for _, s := range m.chosen(t, `.services[].metadata | "\(.name).\(.namespace)"`, "reviews", "ratings", "istio-ingressgateway") {
		all = append(all, question{[]string{"describe", "svc/" + s}, facts})
	}
	return all
}

// chosen gives those of the texts that a query gives which begin or go on with
// one of these words; of a sample the first two.
func (m *taken) chosen(t *testing.T, query string, words ...string) (some []string) {
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

// ask runs questions over the snapshot as it is, in a process of its own: cobra
// keeps every command line that it ran.
func (m *taken) ask(t *testing.T, questions ...question) (all []answer) {
	t.Helper()
	var words [][]string
	for _, q := range questions {
		words = append(words, append([]string{"kubectl-meshq", "--snapshot", m.dir, "-c"}, q.words...))
	}
	cmd := exec.Command(os.Args[0], "-test.run", "^TestRuns$")
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

// A run is what one command line printed.
type run struct {
	Out, Errs string
	Code      int
}

// TestRuns is the process that runs command lines: those of MATRIX_RUNS, into
// the file MATRIX_OUT.
func TestRuns(t *testing.T) {
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
		w := &plugin.World{Args: args, In: strings.NewReader(""), Out: &out, Err: &errs, Now: time.Now, Environ: []string{"HOME=" + filepath.Dir(path)}}
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

// compare says what is wrong with the answer that a mesh without one part
// gives, beside that of the whole mesh.
func (q question) compare(before, after answer) (wrong []string) {
	if after.code == 5 || after.code == 3 || after.code > 6 {
		return []string{fmt.Sprintf("exit code %d: %.300s", after.code, after.errs)}
	}
	if q.kind == findings {
		return compareFindings(before, after)
	}
	left, changed := unlike(before.rows, after.rows)
	same := len(left) == 0 && len(changed) == 0
	for _, row := range changed {
		at := slices.IndexFunc(left, func(old any) bool { return covers(old, row) })
		switch {
		case at >= 0:
			left = slices.Delete(left, at, at+1)
		case !q.saysUnknown(row, before) && q.words[0] != "rootca": // which counts the proxies that were read
			wrong = append(wrong, fmt.Sprintf("new: %.300s", text(row)))
		}
	}
	sameVerdict := q.kind == walk && after.code == 1 && before.code == 1 && len(changed) == 1 && sameEnd(before.rows[0], changed[0])
	if !same && wrong == nil && !sameVerdict && (after.code == 0 || after.code == 1) {
		wrong = append(wrong, fmt.Sprintf("the answer differs, and exit code %d", after.code))
	}
	return wrong
}

// unlike gives the rows that are in one answer only, but for what a second source
// says less of.
func unlike(before, after []any) (gone, added []any) {
	n := map[string]int{}
	for _, row := range before {
		n[firstHand(row)]++
	}
	for _, row := range after {
		if k := firstHand(row); n[k] > 0 {
			n[k]--
		} else {
			added = append(added, row)
		}
	}
	for _, row := range before {
		if k := firstHand(row); n[k] > 0 {
			n[k]--
			gone = append(gone, row)
		}
	}
	return gone, added
}

// firstHand is a row without its second-hand facts.
func firstHand(row any) string {
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

// saysUnknown tells whether a row that is new says by itself that it isn't
// known. A walk that ends as it did says less on its way.
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

// sameEnd tells whether two walks end alike: a walk that failed and still fails
// for the same reason needs no other exit code.
func sameEnd(a, b any) bool {
	x, _ := a.(map[string]any)
	y, _ := b.(map[string]any)
	return x["reason"] == y["reason"] && x["reached"] == y["reached"] && text(x["endpoints"]) == text(y["endpoints"])
}

// compareFindings compares finding by finding, and proxy by proxy.
func compareFindings(before, after answer) (wrong []string) {
	was, is := apart(before.rows), apart(after.rows)
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

// apart gives the findings of each proxy apart, by check, proxy and subject.
func apart(rows []any) map[string]finding {
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

// secondHand are facts that have a second source, which says less: the pod
// where a proxy's connection is not known (one without an owner is its own
// workload, and has labels that the proxy was not started with), Envoy's
// /clusters where there is no dump with endpoints. What it doesn't say is null.
var secondHand = map[string]bool{"workload": true, "labels": true, "localityWeight": true, "overprovisioningFactor": true}

// covers tells whether a value is what it was, but for what isn't known any
// more.
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
