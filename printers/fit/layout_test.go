package fit

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

var table = []Column{{Header: "NAME", Worth: 100, Min: 20}, {Header: "CDS", Worth: 90, State: true}, {Header: "CLUSTER", Worth: 80}, {Header: "VERSION", Worth: 10}}

func rows(n int) (out [][]string) {
	for i := range n {
		out = append(out, []string{
			fmt.Sprintf("reviews-v%d-7f99cc4496-gdxfn.default", i), "SYNCED (12s)",
			fmt.Sprintf("outbound|9080|v%d|reviews.default.svc.cluster.local", i), "1.31.0-some-long-build-of-it",
		})
	}
	return out
}

// TestEveryLineFits checks that no line is wider than the width, that no state
// is cut, and that a wide terminal changes nothing.
func TestEveryLineFits(t *testing.T) {
	all := rows(3)
	for width := 24; width < 200; width++ {
		l := New(width, table, all)
		lines := append([][]string{l.Header()}, l.Rows(all)...)
		used := widest(make([]Column, len(l.Shown())), lines)
		if total(used) > width {
			t.Fatalf("width %d: %q", width, lines)
		}
		for _, line := range lines {
			for k, i := range l.Shown() {
				if table[i].State && strings.HasSuffix(line[k], "…") {
					t.Errorf("width %d: %q is cut", width, line[k])
				}
			}
		}
		if len(l.Shown())+len(l.Hidden()) != len(table) || !slices.Contains(l.Shown(), 0) {
			t.Errorf("width %d: shown %v, hidden %v", width, l.Shown(), l.Hidden())
		}
	}
	if l := New(200, table, all); !slices.EqualFunc(l.Rows(all), all, slices.Equal[[]string]) {
		t.Errorf("%q", l.Rows(all))
	}
}

// TestColumnsOfLeastWorthGoLast checks the order of what a narrower terminal
// loses: common parts of names, ages, long cells, and then columns.
func TestColumnsOfLeastWorthGoLast(t *testing.T) {
	all := rows(2)
	for _, c := range []struct {
		width  int
		row    []string
		hidden []string
	}{
		{140, []string{"reviews-v0-7f99cc4496-gdxfn.default", "SYNCED (12s)", "outbound|9080|v0|reviews.default.svc.cluster.local", "1.31.0-some-long-build-of-it"}, nil},
		{110, []string{"reviews-v0.default", "SYNCED (12s)", "outbound|9080|v0|reviews.default", "1.31.0-some-long-build-of-it"}, nil},
		{94, []string{"reviews-v0.default", "SYNCED", "outbound|9080|v0|reviews.default", "1.31.0-some-long-build-of-it"}, nil},
		{80, []string{"reviews-v0.default", "SYNCED", "outbound|9080|v0|review…", "1.31.0-some-long-build…"}, nil},
		{50, []string{"reviews-v0.default", "SYNCED", "outbound|9080|v0|re…"}, []string{"VERSION"}},
		{30, []string{"reviews-v0.default", "SYNCED"}, []string{"CLUSTER", "VERSION"}},
	} {
		l := New(c.width, table, all)
		got := l.Rows(all)[0]
		if !slices.Equal(got, c.row) || !slices.Equal(l.Hidden(), c.hidden) {
			t.Errorf("width %d: %q without %q, want %q without %q", c.width, got, l.Hidden(), c.row, c.hidden)
		}
	}
}

// TestShortNamesStayDifferent checks that a name keeps the suffix that tells it
// apart, also from names of later rows.
func TestShortNamesStayDifferent(t *testing.T) {
	cols := []Column{{Header: "NAME", Worth: 1, Min: 60}, {Header: "X"}}
	first := [][]string{
		{"web-7f99cc4496-gdxfn.a", strings.Repeat("x", 60)}, {"web-7f99cc4496-2bcdf.a", ""}, {"web-7f99cc4496-gdxfn.b", ""},
		{"ztunnel-x7bfw.istio-system", ""}, {"web-0.a", ""}, {"vm-local", ""},
	}
	l := New(50, cols, first)
	var got []string
	for _, line := range l.Rows(first) {
		got = append(got, line[0])
	}
	want := []string{"web-7f99cc4496-gdxfn.a", "web-7f99cc4496-2bcdf.a", "web.b", "ztunnel.istio-system", "web-0.a", "vm-local"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if later := l.Rows([][]string{{"web-66d9c5d8b-zzzzz.b", ""}}); later[0][0] != "web-66d9c5d8b-zzzzz.b" {
		t.Errorf("%q", later)
	}
}

// TestDomainsOfSeveralClustersStay checks that a domain is dropped only if all
// names of the column end in it.
func TestDomainsOfSeveralClustersStay(t *testing.T) {
	cols := []Column{{Header: "FQDN", Worth: 1, Min: 60}, {Header: "X"}}
	long := strings.Repeat("x", 90)
	for _, c := range []struct{ first, second, want string }{
		{"a.b.svc.cluster.local:80", "c.d.svc.cluster.local", "a.b:80"},
		{"a.b.svc.east.example.com", "c.d.svc.east.example.com", "a.b"},
		{"a.b.svc.cluster.local", "c.d.svc.other.local", "a.b.svc.cluster.local"},
	} {
		all := [][]string{{c.first, long}, {c.second, long}}
		if got := New(100, cols, all).Rows(all)[0][0]; got != c.want {
			t.Errorf("%q: %q, want %q", c.first, got, c.want)
		}
	}
}

// TestWrapKeepsEveryWord checks that wrapped lines fit and hold the whole text.
func TestWrapKeepsEveryWord(t *testing.T) {
	for _, text := range []string{"", "one", "a few words that need some lines", "outbound|9080||reviews.default.svc.cluster.local is long", "日本語 のテキスト と words"} {
		for width := 1; width < 40; width++ {
			lines := Wrap(text, width)
			joined := strings.Join(lines, "")
			if strings.ReplaceAll(joined, " ", "") != strings.ReplaceAll(text, " ", "") {
				t.Errorf("width %d: %q of %q", width, lines, text)
			}
			for _, line := range lines {
				if utf8.RuneCountInString(line) > width {
					t.Errorf("width %d: %q", width, line)
				}
			}
		}
	}
}

// TestBlocksKeepEveryCell checks that a row's block has all its cells but the
// empty ones.
func TestBlocksKeepEveryCell(t *testing.T) {
	cols := []Column{{Header: "SEVERITY"}, {Header: "CHECK"}, {Header: "MESSAGE"}, {Header: "NEXT"}}
	got := Blocks(40, cols, [][]string{{"error", "stale", "-", "look at it"}}, []int{0, 1}, "-")
	if len(got) != 1 || !slices.Equal(got[0].Head, []string{"error", "stale"}) || !slices.Equal(got[0].Body, []string{"look at it"}) {
		t.Errorf("%q", got)
	}
}
