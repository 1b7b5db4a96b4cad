package shards_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/plugin/demo"
	"github.com/meshq/kubectl-meshq/printers"
	"github.com/meshq/kubectl-meshq/query"
	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/query/shards"
	"github.com/meshq/kubectl-meshq/sources"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// run returns the results of a query as JSON, one per line.
func run(t *testing.T, src string, in any) (lines []string, err error) {
	t.Helper()
	p, err := query.Compile(src, query.Options{})
	if err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	each := printers.NewEach(func(row []byte) error { lines = append(lines, string(row)); return nil }, func() error { return nil })
	err = p.Run(t.Context(), in, nil, eval.RunOptions{Now: func() float64 { return 1.7e9 }}, func(v any) error {
		row, err := each.Render(t.Context(), v)
		if err != nil {
			return err
		}
		return each.Print(row)
	})
	return lines, err
}

// open opens a mesh that comes with the plugin, and returns its document.
func open(t *testing.T, name string) any {
	t.Helper()
	archive, ok := demo.Named(name)
	if !ok {
		t.Fatalf("no mesh %s", name)
	}
	s, err := transport.OpenBytes(t.Context(), name, archive, transport.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := sources.Open(t.Context(), sources.Options{Sources: []transport.Source{s}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m.Document()
}

// split evaluates a plan: its first part for each proxy, in the order of the shards,
// and its second part on the elements, which have become JSON in between, in the order
// of the proxies.
func split(t *testing.T, p *shards.Plan, document any, order []int) ([]string, error) {
	t.Helper()
	proxies := proxiesOf(t, document)
	of := make([][]string, len(proxies))
	for _, i := range order {
		lines, err := run(t, p.PerProxy, proxies[i])
		if err != nil {
			return nil, err
		}
		of[i] = lines
	}
	var all []string
	for _, lines := range of {
		all = append(all, lines...)
	}
	var elements any
	if err := object.Unmarshal([]byte("["+strings.Join(all, ",")+"]"), &elements); err != nil {
		t.Fatal(err)
	}
	return run(t, p.Finish, elements)
}

func proxiesOf(t *testing.T, document any) []any {
	t.Helper()
	v, err := mesh.Get(t.Context(), document, "proxies")
	if err == nil {
		v, err = mesh.Force(t.Context(), v)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v.([]any)
}

// TestSplitEqualsOneProcess compares random queries of the accepted forms, evaluated
// in two parts, with the same queries in one process: the results are the same, byte
// for byte, or both fail.
func TestSplitEqualsOneProcess(t *testing.T) {
	fs := []string{
		".id", "{id, type, rds}", ".clusters[].name", ".clusters[] | {name, type}", ".clusters[] | select(.type == \"EDS\") | .name", ".clusters | length",
		".listeners[] | [.port, .name]", ".routes[].virtualHosts[]? | .name", ".endpoints[] | {health, cluster}", "select(.rds == \"STALE\") | .id", ".labels.app",
		".endpoints[].port", "empty", ".clusters[] as $c | [$c.name, .id]", ".cluster(\"BlackHoleCluster\").type", "(.clusters | length), .id", ".clusters[0].name + 1", "select(stale) | .id", ".version // \"?\"",
		".endpoints[] | .port / 3", "reduce .clusters[] as $c (0; . + 1)", "[.secrets[]?.notAfter] | max", ".clusters[:2][] | .name | ascii_upcase",
	}
	gs := []string{
		"length", "add", "sort", "unique", "min", "max", "any", "all", "group_by(.)", "group_by(tostring) | map({k: .[0], n: length})", "sort_by(tostring)", "unique_by(tostring)", "unique_by(tostring | length)",
		"min_by(tostring | length)", "max_by(tostring | length)", "map(tojson) | join(\",\")", ".[:3]", "first", "last", "length | . + 1", "any(. == null)", "all(. != null)", "min_by(tostring) | tojson", "reverse", "to_entries | map(.key) | add", "map(type) | unique",
	}
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(all []string) string { return all[random.IntN(len(all))] }
	forms := []func(f, g string) string{
		func(f, _ string) string { return ".proxies[] | " + f },
		func(f, g string) string { return "[.proxies[] | " + f + "] | " + g },
		func(f, g string) string { return ".proxies | map(" + f + ") | " + g },
		func(f, _ string) string {
			return "limit(" + pick([]string{"0", "1", "3", "1000"}) + "; .proxies[] | " + f + ")"
		},
		func(f, _ string) string { return "first(.proxies[] | " + f + ") | tojson" },
		func(f, _ string) string {
			return pick([]string{"any", "all"}) + "(.proxies[] | " + f + "; type == \"string\")"
		},
		func(f, _ string) string { return "isempty(.proxies[] | " + f + ")" },
		func(f, _ string) string { return "add(.proxies[] | " + f + ")" },
		func(f, g string) string { return "def f: " + f + "; def length: 7; [.proxies[] | f] | " + g },
		func(f, g string) string { return "[.proxies[] | " + f + "].length()" },
		func(_, g string) string { return "[.proxies[].clusters[].name] | " + g },
	}
	for _, name := range []string{"demo", "demo-ambient"} {
		document := open(t, name)
		count := len(proxiesOf(t, document))
		compared := 0
		for range 250 {
			src := forms[random.IntN(len(forms))](pick(fs), pick(gs))
			p, err := shards.Split(src)
			if err != nil {
				t.Errorf("%s: %v", src, err)
				continue
			}
			want, wantErr := run(t, src, document)
			got, gotErr := split(t, p, document, random.Perm(count))
			switch {
			case wantErr == nil && gotErr != nil && (strings.HasPrefix(src, "limit(") || strings.HasPrefix(src, "first(") || strings.HasPrefix(src, "any(") || strings.HasPrefix(src, "all(") || strings.HasPrefix(src, "isempty(")):
				continue // one process ends before the proxy whose evaluation fails
			case (gotErr == nil) != (wantErr == nil):
				t.Errorf("%s: error %v, in one process %v", src, gotErr, wantErr)
			case wantErr == nil && strings.Join(got, "\n") != strings.Join(want, "\n"):
				t.Errorf("%s\n%s | %s\n got %.300s\nwant %.300s", src, p.PerProxy, p.Finish, got, want)
			default:
				compared++
			}
		}
		if compared < 200 {
			t.Errorf("%s: only %d queries were compared", name, compared)
		}
	}
}

func TestSplitReducesEarly(t *testing.T) {
	for src, want := range map[string]string{
		"[.proxies[] | .clusters[]] | length":                    "[.clusters[]] | length",
		"[.proxies[].clusters[].type] | unique":                  "[.clusters[].type] | unique | .[]",
		"[.proxies[].clusters[]] | min_by(.name) | .name":        "[.clusters[]] | if length == 0 then empty else min_by(.name) end",
		"limit(3; .proxies[].id)":                                "limit(3; .id)",
		"any(.proxies[]; .rds == \"STALE\")":                     "any(.; .rds == \"STALE\")",
		"[.proxies[]] | length":                                  "[.] | length",
		"def length: 1; [.proxies[].id] | length":                ".id",
		".proxies[] | .id":                                       ".id",
		"[.proxies[].clusters[] | .type] | group_by(.) | length": ".clusters[] | .type",
	} {
		p, err := shards.Split(src)
		if err != nil || p.PerProxy != want {
			t.Errorf("%s: %+v, error %v, want %s", src, p, err, want)
		}
	}
}

func TestSplitRefuses(t *testing.T) {
	for src, want := range map[string]string{
		".pilots[]": "begin with the proxies", "1 + 2": "begin", ".proxies[]": "all of every proxy", "[.proxies[]] | sort_by(.id)": "all of every proxy", "first(.proxies[])": "all of every proxy",
		".proxies[] as $p | .pilots": "the query", ".proxies | length": "can't be evaluated", "[.proxies[].clusters[]] | map(stale)": "is no function of jq",
		".proxies[] | trace(\"http://a/\")": "reads more of the mesh", ".proxies[] | debug": "acts on the whole run", "limit(.n; .proxies[].id)": "no number", "import \"a\" as a; .proxies[].id": "modules",
		".proxies[] | input": "acts on the whole run", "length": "length doesn't read", ".proxies |= map(.id)": "begin",
		".proxies[]?": "can't", ".proxies[0].id": "can't", "[.proxies[].id, .pilots[].id]": "can't", "def f: trace(\"http://a/\"); .proxies[] | f": "reads more of the mesh",
	} {
		p, err := shards.Split(src)
		if refused := new(shards.RefusedError); !errors.As(err, &refused) || !strings.Contains(refused.Msg, want) {
			t.Errorf("%s: %+v, error %v, want %q", src, p, err, want)
		}
	}
	if _, err := shards.Split(".proxies[] |"); err == nil || errors.As(err, new(*shards.RefusedError)) {
		t.Errorf("an invalid query: error %v", err)
	}
}
