package diff_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/query/diff"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// texts returns the text of each side of a section.
func texts(t *testing.T, s diff.Section) (a, b []string) {
	t.Helper()
	err := s.Texts(context.Background(), func(l diff.TextLine) {
		if l.Op != '+' {
			a = append(a, l.Text)
		}
		if l.Op != '-' {
			b = append(b, l.Text)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return a, b
}

// apply applies a unified diff as the command patch does. The test fails if a line isn't
// at the line number that the diff gives.
func apply(t *testing.T, a []string, lines []diff.TextLine) (b []string) {
	t.Helper()
	at := 0
	for i := 0; i < len(lines); {
		var fromA, countA, fromB, countB int
		head := strings.NewReplacer("-", " ", "+", " ", "@", " ").Replace(strings.Split(lines[i].Text, " @@")[0])
		words := strings.Fields(head)
		fromA, countA = span(t, words[0])
		fromB, countB = span(t, words[1])
		if countA == 0 {
			fromA++
		}
		if countB == 0 {
			fromB++
		}
		b = append(b, a[at:fromA-1]...)
		at = fromA - 1
		if len(b) != fromB-1 {
			t.Fatalf("%s: %d lines before it", lines[i].Text, len(b))
		}
		for i++; i < len(lines) && lines[i].Op != '@'; i++ {
			l := lines[i]
			if l.Op != '+' {
				if at >= len(a) || a[at] != l.Text {
					t.Fatalf("line %d is not %q", at+1, l.Text)
				}
				at++
				countA--
			}
			if l.Op != '-' {
				b = append(b, l.Text)
				countB--
			}
		}
		if countA != 0 || countB != 0 {
			t.Fatalf("a hunk of %d and %d lines more than it says", -countA, -countB)
		}
	}
	return append(b, a[at:]...)
}

func span(t *testing.T, text string) (from, count int) {
	t.Helper()
	if n, _ := fmt.Sscanf(text, "%d,%d", &from, &count); n == 1 {
		count = 1
	} else if n != 2 {
		t.Fatal(text)
	}
	return from, count
}

func unified(t *testing.T, s diff.Section, around int) (out []diff.TextLine) {
	t.Helper()
	if err := s.Unified(context.Background(), around, func(l diff.TextLine) { out = append(out, l) }); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestUnifiedConvertsOneTextToTheOther checks that the two texts are the JSON of the
// values, and that applying the diff to the first text results in the second.
func TestUnifiedConvertsOneTextToTheOther(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	tried := 0
	for range 120 {
		a := parse(t, listener)
		b := changed(r, a).(*object.Object)
		b.Set("kind", "Listener")
		for _, s := range sections(t, a, b) {
			textA, textB := texts(t, s)
			if s.Edit == nil {
				continue
			}
			tried++
			for side, text := range map[*any][]string{&a: textA, ptr(b): textB} {
				got := parse(t, strings.Join(text, "\n")).(*object.Object)
				got.Set("kind", "Listener")
				if d := differs(t, *side, got); len(d) > 0 {
					t.Fatalf("the text is not the value: %q", d)
				}
			}
			for _, around := range []int{0, 1, 3, 7} {
				if got := apply(t, textA, unified(t, s, around)); !slices.Equal(got, textB) {
					t.Fatalf("around %d: %q", around, got)
				}
			}
		}
	}
	if tried < 90 {
		t.Errorf("%d tried", tried)
	}
}

func ptr(v any) *any { return &v }

// TestUnifiedSections checks that the diff of many resources contains only the lines near
// a change, with correct line numbers.
func TestUnifiedSections(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for round := range 25 {
		var a, b []any
		for i := range 1 + r.IntN(30) {
			one := parse(t, listener).(*object.Object)
			one.Set("name", fmt.Sprintf("l%02d", i))
			if r.IntN(3) == 0 {
				one.Set("filterChains", []any{}) // shortens the text of this element
			}
			other := one
			if r.IntN(4) == 0 {
				other = changed(r, one).(*object.Object)
				other.Set("kind", "Listener")
				other.Set("name", one.Get("name"))
			}
			if r.IntN(9) > 0 {
				a = append(a, mesh.NewObject("Listener", nil, one))
			}
			if r.IntN(9) > 0 {
				b = append(b, mesh.NewObject("Listener", nil, other))
			}
		}
		for _, s := range sections(t, a, b) {
			textA, textB := texts(t, s)
			for _, around := range []int{0, 3, 7, 50} {
				if got := apply(t, textA, unified(t, s, around)); !slices.Equal(got, textB) {
					t.Fatalf("round %d, around %d: %q", round, around, got)
				}
			}
			if s.Edit != nil {
				parse(t, strings.Join(textA, "\n"))
				parse(t, strings.Join(textB, "\n"))
			}
		}
	}
}

func TestHunkLineNumbers(t *testing.T) {
	a := mesh.NewObject("Cluster", nil, inCluster(t, `{"lbPolicy":"RANDOM","connectTimeout":"1s","metadata":{"filterMetadata":{"istio":{"config":"/apis/networking.istio.io/v1/namespaces/shop/destination-rule/dr"}}}}`))
	b := mesh.NewObject("Cluster", nil, inCluster(t, `{"lbPolicy":"MAGLEV","connectTimeout":"1.0s","a":[],"metadata":{"filterMetadata":{"istio":{"config":"/apis/networking.istio.io/v1/namespaces/shop/destination-rule/dr"}}}}`))
	got := ""
	for _, s := range sections(t, []any{a}, []any{b}) {
		for _, l := range unified(t, s, 1) {
			got += string(l.Op) + l.Text + "\n"
		}
	}
	const want = `@@@ -3,3 +3,3 @@ x (DestinationRule/dr.shop)
     "connectTimeout": "1.0s",
-    "lbPolicy": "RANDOM",
+    "lbPolicy": "MAGLEV",
     "metadata": {
`
	if got != want {
		t.Error(got)
	}
}
