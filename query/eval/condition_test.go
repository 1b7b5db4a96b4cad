package eval

import (
	"context"
	"errors"
	"fmt"
	"math/rand"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/itchyny/gojq"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// The queries of this test are random. Each one iterates over arrays that can load a
// subset of their elements, applies a condition to the elements, and continues with more
// filters.

func among(r *rand.Rand, all ...string) string { return all[r.Intn(len(all))] }

func text(r *rand.Rand) string { return among(r, `"a"`, `"ab"`, `"b"`, `"abc"`, `""`, `"a.c"`, `"é"`) }

// operand returns a random expression for the other side of a comparison with a name.
func operand(r *rand.Rand) string {
	return among(r, text(r), text(r), text(r), `$n`, `$o.name`, `$o.deep.name`, `("a", "b")`, `($n, `+text(r)+`)`, `$list[]`, `$m`, `$o.none`, `$n.a`, `$mixed[]`, `null`, `1`, `empty`, `error("e")`, `("a" + "b")`)
}

func regexText(r *rand.Rand) string {
	return among(r, `"a"`, `"^a"`, `"b$"`, `"^(a|b)$"`, `"B"`, `"."`, `"a.c"`, `"[ab]+"`, `""`, `"["`, `$n`, `"\\Aab?\\z"`, `"(?i)A"`, `"a\nb"`, `$m`)
}

// ofText returns a random condition on a string.
func ofText(r *rand.Rand) string {
	switch r.Intn(8) {
	case 0:
		return "test(" + regexText(r) + ")"
	case 1:
		return "test(" + regexText(r) + "; " + among(r, `"i"`, `"x"`, `"n"`, `"g"`, `"y"`, `null`, `"s"`) + ")"
	case 2:
		return "startswith(" + operand(r) + ")"
	case 3:
		return "endswith(" + operand(r) + ")"
	case 4:
		return "contains(" + operand(r) + ")"
	case 5:
		return "IN(" + operand(r) + ")"
	}
	return ". " + among(r, "==", "==", "!=") + " " + operand(r)
}

// condition returns a random combination of conditions, with and, or and not. leaf
// returns a single condition on an element or on a string.
func condition(r *rand.Rand, leaf func(*rand.Rand) string, depth int) string {
	if depth > 0 {
		a, b := condition(r, leaf, depth-1), condition(r, leaf, depth-1)
		switch r.Intn(6) {
		case 0, 1:
			return "(" + a + " and " + b + ")"
		case 2, 3:
			return "(" + a + " or " + b + ")"
		case 4:
			return "(" + a + " | not)"
		}
	}
	return "(" + leaf(r) + ")"
}

func ofElement(r *rand.Rand) string {
	switch r.Intn(12) {
	case 0:
		return among(r, ".w > 1", ".w.z", ".v == 1", ".late == 1", ".", `type == "object"`, "error", ".w | not", "true", "false", "empty", ".name == .cluster", `.name | length > 1`)
	case 1:
		return `type == "object" and ` + condition(r, ofElement, 0)
	case 2:
		return operand(r) + " == .name"
	case 3:
		return ".cluster == " + operand(r)
	case 4, 5, 6:
		return ".name " + among(r, "==", "==", "==", "!=") + " " + operand(r)
	case 7:
		return ".name | " + condition(r, ofText, 1)
	case 8:
		return ".cluster | " + ofText(r)
	}
	return ".name | " + ofText(r)
}

// conditional returns a random query: an iteration, a condition and more filters.
func conditional(r *rand.Rand) string {
	from := among(r, ".x[]", ".x[]", ".x[]", ".x[]?", "(.x | .[])", "(.x, .y)[]", "$d.x[]", ".proxies[].x[]", ".proxies[].x[]", "(.proxies[] | .y[])")
	c := condition(r, ofElement, r.Intn(3))
	named := condition(r, ofText, r.Intn(2))
	then := among(r, ".", ".v", ".name", ".w.z?", ".late", ".w.z", "[.name, .late]")
	q := strings.NewReplacer("FROM", from, "COND", c, "NAMED", named, "THEN", then, "OP", operand(r)).Replace(among(r,
		"FROM | select(COND) | THEN", "[FROM | select(COND) | THEN]", ".x | map(select(COND)) | map(THEN)", ".proxies[] | [.x[] | select(COND) | THEN] | length",
		"any(FROM; COND)", "all(FROM; COND)", ".x | any(COND)", ".x | all(COND)", "first(FROM | select(COND)) | THEN", "[limit(2; FROM | select(COND)) | THEN]",
		"[FROM.name | select(NAMED)]", "any(FROM.name; NAMED)", "FROM | .name | select(NAMED)", "[FROM | select(COND)] | length", "isempty(FROM | select(COND))",
		"def f: select(COND); FROM | f | THEN", "def f($n): select(COND); FROM | f(OP) | THEN", "def f(n): select(.name == n); FROM | f(OP) | THEN",
		"def f($n): FROM | select(COND); f(OP) | THEN", "[path(FROM | select(COND))]", "reduce (FROM | select(COND)) as $e (0; . + ($e | THEN | 1))",
		"try (FROM | select(COND) | THEN) catch \"caught\"", "FROM | select(COND) | select(COND) | THEN", "(FROM | select(COND)) as {$name, $late} | [$name, $late]",
		"[FROM | (select(COND) | THEN), 1]", "[.proxies[] | select(any(.x[]; COND)) | .id]", "label $out | FROM | select(COND) | THEN, break $out",
	))
	return `. as $d | ("ab", "b") as $n | 1 as $m | ["a", "b"] as $list | ["a", 1] as $mixed | {name: "a", deep: {name: "ab"}} as $o | ` + q
}

// lateness is a lazy value: it has to be loaded before it can be read.
type lateness struct{ v any }

func (l *lateness) Pending() bool                          { return true }
func (l *lateness) Forced() (any, bool)                    { return nil, false }
func (l *lateness) Force(ctx context.Context) (any, error) { return l.v, mesh.Enter(ctx) }

// rows generates an array, and the same array with lazy elements. Some elements have no
// name. If regular is false, a few have a name that isn't a string, or aren't objects,
// which is never the case in a real mesh.
func rows(r *rand.Rand) (plain, lazy []any, regular bool) {
	plain, lazy, regular = []any{}, []any{}, true
	odd := r.Intn(12) == 0
	for i := range r.Intn(9) {
		if odd && r.Intn(4) == 0 {
			v := []any{nil, 5, "a", []any{}, object.Of("name", 5), object.Of("name", []any{"a"}), object.Of("name", "a", "cluster", 1)}[r.Intn(7)]
			plain, lazy, regular = append(plain, v), append(lazy, v), false
			continue
		}
		e := object.Of("v", i, "w", []any{1, 2, nil, object.Of("z", i), object.Of("z", 1), "x"}[r.Intn(6)])
		if r.Intn(9) > 0 {
			e.Set("name", []string{"a", "b", "ab", "abc", "a.c", "axc", "", "é", "B", "a\nb"}[r.Intn(10)])
		} else if r.Intn(2) == 0 {
			e.Set("name", nil)
		}
		e.Set("cluster", []string{"a", "b", "ab"}[r.Intn(3)])
		e.Set("late", i%3)
		f := e.Clone()
		if r.Intn(3) == 0 { // lazy members cause the evaluator to evaluate several elements concurrently
			f.Set("late", &lateness{i % 3})
		}
		var l any = f
		if r.Intn(2) == 0 {
			l = mesh.LaterObject("Row", nil, func(context.Context) (*object.Object, error) { return f, nil })
			e.Set("kind", "Row")
		}
		plain, lazy = append(plain, e), append(lazy, l)
	}
	return plain, lazy, regular
}

// shifty is a lazy array that behaves at random, within the rules of its interface. When
// the evaluator requests a subset of the elements, it may return more of them, refuse to
// return a subset, or report that it was loaded completely in the meantime.
type shifty struct {
	mu      sync.Mutex
	r       *rand.Rand
	all     []any
	regular bool
	fault   error
	tally   *tally
}

type tally struct{ asked, left atomic.Int64 }

func (s *shifty) chance(n int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.r.Intn(n) == 0
}

func (s *shifty) Pending() bool { return true }

func (s *shifty) Forced() (any, bool) {
	if s.fault == nil && s.chance(6) {
		return s.all, true
	}
	return nil, false
}

func (s *shifty) Force(ctx context.Context) (any, error) {
	if err := mesh.Enter(ctx); err != nil {
		return nil, err
	}
	return s.all, s.fault
}

func (s *shifty) Narrow(ctx context.Context, h mesh.Hint) ([]any, bool, error) {
	if !s.regular || s.chance(6) {
		return nil, false, nil
	}
	if err := mesh.Enter(ctx); err != nil || s.fault != nil {
		return nil, false, errors.Join(err, s.fault)
	}
	out, left := []any{}, 0
	for _, e := range s.all {
		name, err := mesh.Get(ctx, e, h.By)
		if err != nil {
			return nil, false, err
		}
		if meant(name, h) || s.chance(3) {
			out = append(out, e)
		} else {
			left++
		}
	}
	s.tally.asked.Add(1)
	s.tally.left.Add(int64(left))
	return out, true, nil
}

// eagerly hides from the evaluator that a lazy array can load a subset of its elements.
type eagerly struct{ mesh.Lazy }

// conditionDocument generates a document in three forms: completely loaded, with arrays
// that can load a subset of their elements, and with arrays that can only be loaded
// completely.
func conditionDocument(r *rand.Rand, t *tally) (plain, narrow, eager any) {
	faulty := r.Intn(6) == 0
	array := func(id string) (any, *shifty) {
		p, l, regular := rows(r)
		s := &shifty{r: rand.New(rand.NewSource(r.Int63())), all: l, regular: regular, tally: t}
		if faulty && id != "" && r.Intn(3) == 0 {
			s.fault = &mesh.Fault{Proxy: id, Section: "x", Err: errors.New("refused")}
		}
		return p, s
	}
	both := func(kind, id string, into *object.Object) (a, b, c any) {
		plain, narrow, eager := object.Of("kind", kind, "id", id), object.Of("id", id), object.Of("id", id)
		for k, v := range into.All() {
			plain.Set(k, v.([3]any)[0])
			narrow.Set(k, v.([3]any)[1])
			eager.Set(k, v.([3]any)[2])
		}
		for _, k := range []string{"x", "y"} {
			p, s := array(id)
			plain.Set(k, p)
			narrow.Set(k, s)
			eager.Set(k, eagerly{s})
		}
		return plain, mesh.NewObject(kind, nil, narrow), mesh.NewObject(kind, nil, eager)
	}
	var ps [3][]any
	for i := range 4 {
		a, b, c := both("Proxy", fmt.Sprint("p", i), nil)
		ps[0], ps[1], ps[2] = append(ps[0], a), append(ps[1], b), append(ps[2], c)
	}
	plain, narrow, eager = both("Mesh", "", object.Of("proxies", [3]any{ps[0], ps[1], ps[2]}))
	if faulty {
		plain = nil // gojq has no equivalent of a failed load, so there is no result to compare with
	}
	return plain, narrow, eager
}

// conditionDiffers runs a random query on both lazy forms of a document, and in gojq on
// the loaded form. It returns the query, and the first difference between the results.
func conditionDiffers(seed int64, t *tally) (query, difference string) {
	r := rand.New(rand.NewSource(seed))
	query = conditional(r)
	plain, narrow, eager := conditionDocument(r, t)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	p, err := syntax.Parse("", query)
	if err != nil {
		return query, err.Error()
	}
	code, err := Compile(p, Options{})
	if err != nil {
		return query, err.Error()
	}
	tell := func(a *answer) string { return fmt.Sprintf("%s\nfaults %q notes %q", a, a.faults, a.notes) }
	want := tell(askWith(ctx, code, eager, RunOptions{Workers: 1, Finish: finishDeep}))
	for _, workers := range []int{1, 4} {
		if got := tell(askWith(ctx, code, narrow, RunOptions{Workers: workers, Finish: finishDeep})); got != want {
			return query, fmt.Sprintf("%d workers: %s\nwithout asking: %s", workers, got, want)
		}
	}
	// These queries use flags of regular expressions that jq supports and gojq doesn't.
	if plain == nil || strings.Contains(query, `; "x")`) || strings.Contains(query, `; "n")`) || strings.Contains(query, `; "s")`) {
		return query, ""
	}
	gojqs := byGojq(ctx, gojqCase{query: query, inputs: []any{plain}})
	ours := byUs(ctx, gojqCase{query: query, inputs: []any{narrow}}, asItIs)
	if gojqs.kinds() != ours.kinds() {
		for _, k := range known {
			if k.is(query, gojqs, ours, ours) {
				return query, ""
			}
		}
		text, _ := gojq.Marshal(object.ToPlain(plain))
		return query, fmt.Sprintf("input %s\n gojq %s\n ours %s", text, brief(gojqs), brief(ours))
	}
	return query, ""
}

// TestConditions checks that results, errors and reported load failures don't change if a
// section omits elements for which the condition is false.
func TestConditions(t *testing.T) {
	n, count := 1500, &tally{}
	if testing.Short() {
		n = 600
	}
	for seed := range n {
		if query, difference := conditionDiffers(int64(seed), count); difference != "" {
			t.Errorf("seed %d: %s\n%s", seed, query, difference)
		}
	}
	t.Logf("%d queries asked %d times, %d elements were left out", n, count.asked.Load(), count.left.Load())
	if count.asked.Load() < int64(n/3) || count.left.Load() < int64(n/3) {
		t.Error("too little was left out to tell anything")
	}
}

func FuzzConditions(f *testing.F) {
	for seed := range 8 {
		f.Add(int64(seed))
	}
	f.Fuzz(func(t *testing.T, seed int64) {
		if query, difference := conditionDiffers(seed, &tally{}); difference != "" {
			t.Errorf("%s\n%s", query, difference)
		}
	})
}
