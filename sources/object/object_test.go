package object

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// A model is a simple implementation of an object, to compare results with. It is
// a slice of members that every update copies.
type model []entry

func (m model) with(key string, v any) model {
	out := slices.Clone(m)
	for i := range out {
		if out[i].key == key {
			out[i].val = v
			return out
		}
	}
	return append(out, entry{key, v})
}

func (m model) without(key string) model {
	return slices.DeleteFunc(slices.Clone(m), func(e entry) bool { return e.key == key })
}

func (m model) check(t *testing.T, o *Object) {
	t.Helper()
	i := 0
	for k, v := range o.All() {
		if i >= len(m) || m[i].key != k || m[i].val != v {
			t.Fatalf("member %d is %s %v, want %v", i, k, v, m)
		}
		if got, ok := o.Lookup(k); !ok || got != v || !o.Has(k) {
			t.Fatalf("%s is %v %v, want %v", k, got, ok, v)
		}
		i++
	}
	if i != len(m) || o.Len() != len(m) || len(o.Keys()) != len(m) {
		t.Fatalf("%d members, length %d, want %d", i, o.Len(), len(m))
	}
	if _, ok := o.Lookup("none"); ok {
		t.Fatal("there is a member that was never set")
	}
}

// TestUpdatesChangeNoOtherObject checks that updates in place have the same results
// as updates of copies, and that they don't change any earlier object.
func TestUpdatesChangeNoOtherObject(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		token := new(Token)
		objects, models := []*Object{nil}, []model{nil}
		keys := 1 + r.IntN(40)
		for n := range 150 {
			i := len(objects) - 1
			if r.IntN(8) == 0 {
				i = r.IntN(len(objects)) // choose an object that was already updated
			}
			if r.IntN(40) == 0 {
				token = new(Token)
			}
			key := fmt.Sprint("k", r.IntN(keys))
			if r.IntN(4) == 0 {
				o, _ := objects[i].Without(token, key)
				objects, models = append(objects, o), append(models, models[i].without(key))
			} else {
				o, _ := objects[i].With(token, key, n)
				objects, models = append(objects, o), append(models, models[i].with(key, n))
			}
			if i := r.IntN(len(objects)); r.IntN(3) == 0 {
				models[i].check(t, objects[i])
			}
		}
		for i, o := range objects {
			models[i].check(t, o)
		}
	}
}

// TestIterationOutlivesUpdates checks that an iteration returns the members that
// the object had when the iteration began, even if the object is updated during
// it.
func TestIterationOutlivesUpdates(t *testing.T) {
	token := new(Token)
	o := Of("a", 1)
	for i := range 20 {
		o, _ = o.With(token, fmt.Sprint("k", i), i)
	}
	want, got := o.Keys(), []string(nil)
	last := o
	for k := range o.All() {
		got = append(got, k)
		last, _ = last.Without(token, k)
		last, _ = last.With(token, "new"+k, 0)
	}
	if !slices.Equal(got, want) || last.Len() != len(want) || !strings.HasPrefix(last.Keys()[0], "new") {
		t.Errorf("got %q, want %q; then %q", got, want, last.Keys())
	}
}

// TestUpdatedObjectsAreReadByMany checks that several goroutines can read objects
// whose token is no longer in use, including objects that were updated.
func TestUpdatedObjectsAreReadByMany(t *testing.T) {
	token := new(Token)
	var all []*Object
	o := New(0)
	for i := range 50 {
		o, _ = o.With(token, fmt.Sprint("k", i), i)
		all = append(all, o)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i, o := range all {
				if o.Len() != i+1 || o.Get("k0") != 0 {
					t.Errorf("%d members of %d", o.Len(), i+1)
				}
				if p, _ := o.With(new(Token), "x", 1); p.Len() != i+2 {
					t.Error("a copy lacks something")
				}
			}
		})
	}
	wg.Wait()
}

// TestUpdatesCopyLittle checks that the number of copied members grows linearly
// with the number of updates, and that the update history of an object in use
// is never longer than the object.
func TestUpdatesCopyLittle(t *testing.T) {
	copied := func(n int, update func(o *Object, token *Token, i int) (*Object, int)) (sum int) {
		token, o := new(Token), New(0)
		for i := range n {
			c := 0
			o, c = update(o, token, i)
			sum += c
		}
		return sum
	}
	for name, update := range map[string]func(o *Object, token *Token, i int) (*Object, int){
		"add": func(o *Object, token *Token, i int) (*Object, int) { return o.With(token, fmt.Sprint(i), i) },
		"set": func(o *Object, token *Token, i int) (*Object, int) { return o.With(token, fmt.Sprint(i%100), i) },
		"add and delete": func(o *Object, token *Token, i int) (*Object, int) {
			o, a := o.With(token, fmt.Sprint(i), i)
			o, b := o.Without(token, fmt.Sprint(i-50))
			return o, a + b
		},
	} {
		if a, b := copied(4000, update), copied(16000, update); b > 5*a || b > 4*16000 {
			t.Errorf("%s: %d members copied by 4,000 updates, %d by 16,000", name, a, b)
		}
	}
	token := new(Token)
	first, _ := Of("n", 0).With(token, "n", 1)
	last := first
	for i := range 200_000 {
		last, _ = last.With(token, "n", i)
	}
	chain := 0
	for h := first; h.rare.past != nil; h = h.rare.past.next {
		chain++
	}
	if chain > 2*slack || last.Get("n") != 199_999 || first.Get("n") != 1 {
		t.Errorf("%d objects are held by one of one member", chain)
	}
	runtime.KeepAlive(last)
}

func TestDuplicateKeysKeepTheirFirstPlace(t *testing.T) {
	o := Of("b", 1, "a", 2, "b", 3)
	if got := strings.Join(o.Keys(), " "); got != "b a" || o.Get("b") != 3 {
		t.Errorf("%s, b is %v", got, o.Get("b"))
	}
	o.Delete("b")
	o.Set("b", 4)
	if got := strings.Join(o.Keys(), " "); got != "a b" {
		t.Errorf("deleted and set again: %s", got)
	}
	o.SetFirst("kind", "X")
	o.Rotate(1)
	if got := strings.Join(o.Keys(), " "); got != "a b kind" && got != "b kind a" {
		t.Errorf("rotated: %s", got)
	}
	text, err := json.Marshal(Of("z", Of("y", []any{"<"}), "a", nil))
	if err != nil || string(text) != `{"z":{"y":["\u003c"]},"a":null}` {
		t.Errorf("%s %v", text, err)
	}
	var back any
	if err := Unmarshal(text, &back); err != nil || back.(*Object).Keys()[0] != "z" || !Equal(back, map[string]any{"a": nil, "z": Of("y", []any{"<"})}) {
		t.Errorf("%v %v", back, err)
	}
}

// TestSizeIsNearTheTruth checks that Size is close to the memory that an object
// really takes.
func TestSizeIsNearTheTruth(t *testing.T) {
	for _, n := range []int{0, 1, 4, 8, 9, 40, 1000} {
		keys := make([]string, n)
		for i := range keys {
			keys[i] = fmt.Sprint("k", i)
		}
		objects := make([]*Object, 1000)
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		for i := range objects {
			objects[i] = New(n)
			for _, k := range keys {
				objects[i].Set(k, nil)
			}
		}
		runtime.ReadMemStats(&after)
		took := int64(after.TotalAlloc-before.TotalAlloc) / int64(len(objects))
		if size := Size(n); took > size*5/4+32 || size > took*5/4+32 {
			t.Errorf("%d members take %d bytes, Size says %d", n, took, size)
		}
		runtime.KeepAlive(objects)
	}
}

// TestSetFirstIsFoundByItsKey checks that a key set by SetFirst is found, in
// objects of every size, including objects that get an index before they have
// members.
func TestSetFirstIsFoundByItsKey(t *testing.T) {
	for _, capacity := range []int{0, scanMost, scanMost + 1, 100} {
		for n := range 2 * scanMost {
			o := New(capacity)
			for i := range n {
				o.Set(strconv.Itoa(i), i)
			}
			o.SetFirst("kind", "Proxy")
			o.Set("last", true)
			if key, _ := o.At(0); key != "kind" || o.Get("kind") != "Proxy" || o.Get("last") != true || o.Len() != n+2 {
				t.Fatalf("room for %d, %d members: first is %s, kind %v", capacity, n, key, o.Get("kind"))
			}
		}
	}
}

// TestSharedIndexIsNeverChanged checks that objects with a shared index can be
// changed independently.
func TestSharedIndexIsNeverChanged(t *testing.T) {
	like := func(n int) *Object {
		o := New(20)
		for i := range 20 {
			o.Set(fmt.Sprint("k", i), n)
		}
		return o
	}
	first, second, third := like(1), like(2), like(3)
	second.ShareIndex(first)
	third.ShareIndex(first)
	if second.rare.index != first.rare.index || third.rare.index != first.rare.index {
		t.Fatal("no index is shared")
	}
	second.Set("more", true)
	second.Delete("k3")
	first.SetFirst("zero", 0)
	third.Rotate(5)
	for i := range 20 {
		k := fmt.Sprint("k", i)
		if first.Get(k) != 1 || third.Get(k) != 3 || i != 3 && second.Get(k) != 2 {
			t.Errorf("%s: %v, %v, %v", k, first.Get(k), second.Get(k), third.Get(k))
		}
	}
	if second.Has("k3") || first.Has("more") || third.Has("zero") || !second.Has("more") || first.Get("zero") != 0 {
		t.Error("a change of one object shows in another")
	}
	few, fewer := New(20), New(20) // with an index, although they have few members
	few.Set("a", 1)
	fewer.Set("a", 1)
	fewer.ShareIndex(few)
	fewer.Set("b", 2)
	if fewer.Get("b") != 2 || few.Has("b") {
		t.Errorf("of few members, b is %v and %v", few.Get("b"), fewer.Get("b"))
	}
	other := like(4)
	other.Set("another", 1)
	if other.ShareIndex(first); other.rare.index == first.rare.index {
		t.Error("an index of other keys is shared")
	}
}
