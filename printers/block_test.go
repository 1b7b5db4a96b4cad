package printers

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/printers/columns"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// TestColorsDoNotChangeTheLayout checks that a table with colours is the same
// as one without, once the escape sequences are removed.
func TestColorsDoNotChangeTheLayout(t *testing.T) {
	plain := render(t, Options{}, proxies()...)
	colored := render(t, Options{Color: true}, proxies()...)
	if got := strings.NewReplacer("\x1b[31m", "", "\x1b[33m", "", "\x1b[0m", "").Replace(colored); got != plain {
		t.Errorf("%s\nwant\n%s", got, plain)
	}
	for cell, want := range map[string]int{"\x1b[33mSTALE\x1b[0m": 4, "\x1b[33mUNKNOWN\x1b[0m": 4, "\x1b[31mERROR\x1b[0m": 1, "\x1b[31m": 1, "\x1b[33m": 8} {
		if got := strings.Count(colored, cell); got != want {
			t.Errorf("%q is seen %d times, want %d:\n%q", cell, got, want, colored)
		}
	}
	wide := render(t, Options{Color: true, Format: "wide"}, proxies()...)
	if !strings.Contains(wide, "\x1b[31mERROR (6m5s)\x1b[0m ") {
		t.Errorf("with its age: %q", wide)
	}
}

// TestOnlyStatesAreColored checks that a word is coloured only in a column of states.
func TestOnlyStatesAreColored(t *testing.T) {
	v := mesh.NewObject("Cluster", nil, object.Of("name", "ERROR", "state", "REJECTED"))
	got := render(t, Options{Color: true}, v)
	if !strings.Contains(got, "\nERROR ") || !strings.Contains(got, "\x1b[31mREJECTED\x1b[0m") {
		t.Errorf("%q", got)
	}
	if got := render(t, Options{Color: true, Format: "custom-columns=A:.name"}, v); strings.Contains(got, "\x1b") {
		t.Errorf("%q", got)
	}
}

// TestCellsAreSafe checks that no text in a cell can control the terminal or
// break the table.
func TestCellsAreSafe(t *testing.T) {
	for text, want := range map[string]string{
		"a\x1b[31mb": "a^[[31mb", "a\nb": "a...", "a\tb": "a b", "a\rb": "a...", "\x07": `\u0007`, "\u009b31m": `\u009b31m`, "日本": "日本", "a\x9b": "a\ufffd",
	} {
		if got := columns.Clean(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func long(n int, state string) (out []any) {
	owner := mesh.NewObject("Proxy", nil, object.Of("id", "a.default"))
	for i := range n {
		out = append(out, mesh.NewObject("Cluster", owner, object.Of("name", fmt.Sprintf("outbound|80||s%d", i), "direction", "outbound", "port", 80, "fqdn", fmt.Sprintf("s%d", i), "state", state)))
	}
	return out
}

// TestLongTables checks that a table of more than maxBufferedRows rows is
// printed in pieces with the same layout.
func TestLongTables(t *testing.T) {
	lines := strings.Split(render(t, Options{}, long(maxBufferedRows+1000, "ACTIVE")...), "\n")
	if got := len(lines); got != maxBufferedRows+1000+2 {
		t.Errorf("%d lines", got)
	}
	at := strings.Index(lines[0], "PORT")
	for _, i := range []int{1, maxBufferedRows, maxBufferedRows + 1, maxBufferedRows + 999} {
		if !strings.HasPrefix(lines[i][at:], "80 ") {
			t.Errorf("line %d doesn't stand under %q: %q", i, lines[0], lines[i])
		}
	}
	if !strings.HasPrefix(lines[0], "PROXY") {
		t.Errorf("while more rows may come, whose they are is shown: %q", lines[0])
	}
}

// TestLongTablesGrowColumns checks that later rows of a long table are printed
// under a new header if they need another column.
func TestLongTablesGrowColumns(t *testing.T) {
	text := render(t, Options{}, append(long(maxBufferedRows, "ACTIVE"), long(2, "WARMING")...)...)
	lines := strings.Split(text, "\n")
	if strings.Contains(lines[0], "STATE") || lines[maxBufferedRows+1] != "" || !strings.Contains(lines[maxBufferedRows+2], "STATE") || !strings.Contains(lines[maxBufferedRows+3], "WARMING") {
		t.Errorf("%q", lines[maxBufferedRows:])
	}
	text = render(t, Options{}, append(long(maxBufferedRows, "WARMING"), long(2, "ACTIVE")...)...)
	if strings.Count(text, "STATE") != 1 || !strings.HasSuffix(text, "ACTIVE\n") {
		t.Errorf("a column that is there stays: %q", text[len(text)-300:])
	}
}

func TestFlatTablesGrowColumns(t *testing.T) {
	var rows []any
	for i := range maxBufferedRows {
		rows = append(rows, object.Of("a", i))
	}
	text := render(t, Options{Format: "table"}, append(rows, object.Of("b", 1))...)
	if !strings.HasSuffix(text, "\n\nB\n1\n") {
		t.Errorf("%q", text[len(text)-40:])
	}
}

// TestColumnsWithTheSameHeader checks that columns with the same header are all
// shown.
func TestColumnsWithTheSameHeader(t *testing.T) {
	proxy := object.Of("kind", "Proxy", "id", "a.b", "version", "1.31.0", "labels", object.Of("version", "v1", "x/app", "one", "y/app", "two"))
	text := render(t, Options{LabelColumns: []string{"version", "x/app", "y/app"}}, proxy)
	if want := []string{"1.31.0", "v1", "one", "two"}; !slices.Equal(strings.Fields(text)[len(strings.Fields(text))-4:], want) {
		t.Errorf("%s, want the row to end in %q", text, want)
	}
	text = render(t, Options{Format: "table"}, object.Of("a", "lower", "A", "upper"))
	if want := []string{"A", "A", "lower", "upper"}; !slices.Equal(strings.Fields(text), want) {
		t.Errorf("%q, want %q", text, want)
	}
}

func TestSortByOrdersValues(t *testing.T) {
	values := func(keys ...any) (out []any) {
		for i, k := range keys {
			v := object.Of("i", i)
			if k != "none" {
				v.Set("k", k)
			}
			out = append(out, v)
		}
		return out
	}
	for _, c := range []struct {
		keys []any
		want string
	}{
		{[]any{3, 1.5, 2, 10}, "1 2 0 3"},
		{[]any{"b", "a", "a", "c"}, "1 2 0 3"},
		{[]any{"v10", "v9", "v100"}, "0 2 1"},
		{[]any{"1Gi", "100Mi", "2k"}, "2 1 0"},
		{[]any{"1", "none", nil, true, false, 7, []any{}, "a"}, "1 2 4 3 5 0 7 6"},
		{[]any{"1Gi", "x", "100Mi"}, "2 0 1"},
	} {
		got := render(t, Options{Format: "jsonpath={.i} ", SortBy: ".k"}, values(c.keys...)...)
		if strings.TrimSpace(got) != c.want {
			t.Errorf("%v: %s, want %s", c.keys, got, c.want)
		}
	}
	if _, err := try(Options{SortBy: ".x"}, values(1, 2)...); err == nil || err.Error() != "--sort-by .x: no result has that field" {
		t.Errorf("%v", err)
	}
	if got := render(t, Options{SortBy: ".x"}); got != "" {
		t.Errorf("%q", got)
	}
}

func TestUsage(t *testing.T) {
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{Format: "yaml", Raw: true}, "--raw-output is for jq's output: it does not go with -o yaml"},
		{Options{Format: "json", Join: true}, "--join-output is for jq's output: it does not go with -o json"},
		{Options{Format: "wide", Compact: true}, "--compact-output is for JSON: it does not go with -o wide"},
		{Options{Format: "name", Indent: "3"}, "--indent is for JSON: it does not go with -o name"},
		{Options{Format: "jsonpath={.a}", Seq: true}, "--seq is for jq's output: it does not go with -o jsonpath"},
		{Options{Indent: "10"}, "--indent 10: not a number from 0 to 9"},
		{Options{Indent: "x"}, "--indent x: not a number from 0 to 9"},
		{Options{Format: "jsonpath"}, "-o jsonpath: no template given"},
		{Options{Format: "custom-columns="}, "-o custom-columns: no template given"},
		{Options{Format: "custom-columns=A"}, "unexpected custom-columns spec: A, expected <header>:<json-path-expr>"},
		{Options{Format: "jsonpath={.a"}, "-o jsonpath: {.a: unclosed action"},
		{Options{Format: "go-template={{.a"}, "-o go-template: template: output:1: unclosed action"},
		{Options{SortBy: "{.a}{.b}"}, "--sort-by unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'"},
		{Options{Format: "jsonpath-file=x"}, "x: no file can be read here"},
	} {
		_, err := New(c.o)
		if err == nil || err.Error() != c.want {
			t.Errorf("%+v: %v, want %s", c.o, err, c.want)
			continue
		}
		if _, ok := err.(*UsageError); !ok {
			t.Errorf("%v is a %T", err, err)
		}
	}
	for _, o := range []Options{{Format: "json", Compact: true}, {Format: "json", Tab: true, ASCII: true}, {Raw: true, Compact: true}, {Format: "table", NoHeaders: true}} {
		if err := o.Validate(); err != nil {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

// TestStreamFlagsPreventTables checks that no table is printed with any flag of
// jq's output.
func TestStreamFlagsPreventTables(t *testing.T) {
	v := mesh.NewObject("Policy", nil, object.Of("name", "a"))
	for _, o := range []Options{{Compact: true}, {Raw: true}, {Join: true}, {Raw0: true}, {Tab: true}, {Indent: "1"}, {ASCII: true}, {Seq: true}} {
		if got := render(t, o, v); !strings.Contains(got, `"kind"`) {
			t.Errorf("%+v: %q", o, got)
		}
	}
}

func TestPrintersKnowWhetherTheyPrintedTables(t *testing.T) {
	for _, sortBy := range []string{"", ".kind"} {
		for v, want := range map[any]bool{mesh.NewObject("Policy", nil, object.Of("name", "a")): true, 1: false} {
			p, err := New(Options{Out: io.Discard, SortBy: sortBy})
			if err != nil {
				t.Fatal(err)
			}
			r, err := p.Render(t.Context(), v)
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Print(r); err != nil {
				t.Fatal(err)
			}
			_ = p.Close() // --sort-by .kind fails for a number
			if got := p.(interface{ PrintedTable() bool }).PrintedTable(); got != want {
				t.Errorf("%v: %v", v, got)
			}
		}
	}
}
