package decode

import (
	"bytes"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

func TestValueOfOneLevel(t *testing.T) {
	in := `{"small":{"a":[{"b_c":1}]},"large":{"a":"` + strings.Repeat("x", wholeMost) + `","b":{"c":[1,2]}}}`
	d := &Document{Bytes: bytes.NewReader([]byte(in))}
	var grew []int64
	d.Grew = func(n int64) { grew = append(grew, n) }
	v := d.Value(0, int64(len(in)), nil, true)
	if _, ok := v.Forced(); ok || v.Pending() {
		t.Error("forced, or pending, before it was touched")
	}
	deep, err := v.Deep(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n, err := v.Len(t.Context()); n != 2 || err != nil {
		t.Error(n, err)
	}
	if _, ok := v.Forced(); ok || len(grew) > 0 {
		t.Error("Deep or Len kept something")
	}

	x, err := v.Force(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	again, _ := v.Force(t.Context())
	if kept, ok := v.Forced(); !ok || !mesh.Identical(x, kept) || !mesh.Identical(x, again) || len(grew) != 1 {
		t.Errorf("kept %v, grew %v", ok, grew)
	}
	smaller := x.(*object.Object).Get("small").(*Value)
	larger := x.(*object.Object).Get("large").(*Value)
	inside, _ := smaller.Force(t.Context())
	if want := object.Of("a", []any{object.Of("b_c", 1)}); !object.Equal(inside, want) {
		t.Errorf("a small value: %v", inside)
	}
	if same, _ := smaller.Deep(t.Context()); !mesh.Identical(inside, same) {
		t.Error("a small value that is there was decoded again")
	}
	inside, _ = larger.Force(t.Context())
	if _, ok := inside.(*object.Object).Get("b").(*Value); !ok {
		t.Error("a large value was decoded whole")
	}
	if now, _ := mesh.Deep(t.Context(), x); !object.Equal(now, deep) {
		t.Error("level by level it is another value")
	}
	if len(grew) != 3 {
		t.Errorf("grew %v", grew)
	}
}

func TestLenCountsNamesOnce(t *testing.T) {
	for in, want := range map[string]int{`{"a":1,"a":2,"b":3}`: 2, `{"a_b":1,"aB":2}`: 1, `{ }`: 0, `[ ]`: 0, `[[],[1,2],3]`: 3} {
		v := small([]byte(in), 1).Value(0, int64(len(in)), camel{}, in[0] == '{')
		if n, err := v.Len(t.Context()); n != want || err != nil {
			t.Errorf("%s has %d, %v", in, n, err)
		}
	}
}

// TestConcurrentPassesAndValues decodes the values of one document in many
// goroutines, while others run passes over it.
func TestConcurrentPassesAndValues(t *testing.T) {
	b, d := realDump(t)
	d.small = 300
	want, err := standard(b)
	if err != nil {
		t.Fatal(err)
	}
	want = camelled(want)
	var grew atomic.Int64
	d.Grew = func(n int64) { grew.Add(n) }
	root := d.Value(0, d.Bytes.Size(), camel{}, true)
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			var v any = root
			if i%4 == 1 {
				var err error
				if v, err = d.Pass(t.Context(), 0, -1, camel{}, shallowNode, nil); err != nil {
					t.Error(err)
				}
			}
			if i%4 == 2 {
				v, err := root.Deep(t.Context())
				if err != nil || !object.Equal(v, want) {
					t.Error("deep is another value", err)
				}
				return
			}
			if !object.Equal(forceAll(t, v), want) {
				t.Error("level by level it is another value")
			}
		})
	}
	wait.Wait()
	if grew.Load() == 0 {
		t.Error("nothing was kept")
	}
}

// TestGrewIsCalledDuringAPass checks that a pass reports the memory that it
// allocates while it runs, and has reported all of it by its end.
func TestGrewIsCalledDuringAPass(t *testing.T) {
	in := "[" + strings.Repeat(`{"a":[1.5]},`, 100_000) + "0]"
	var told []int64
	var sum int64
	d := &Document{Bytes: strings.NewReader(in), Grew: func(n int64) { told, sum = append(told, n), sum+n }}
	v, err := d.Pass(t.Context(), 0, -1, nil, wholeNode, nil)
	if err != nil || len(told) < len(in)/windowSize {
		t.Fatalf("told %d times, %v", len(told), err)
	}
	for _, n := range told[:len(told)-1] { // the last report also contains the memory of the array itself
		if n > 64*windowSize {
			t.Errorf("%d bytes at once", n)
		}
	}
	_, b, err := d.read(t.Context(), 0, -1, nil, wholeNode, nil)
	if err != nil || b.own != sum || len(v.([]any)) != 100_001 {
		t.Errorf("told %d of %d, %v", sum, b.own, err)
	}
}

// TestGrewIsRightWithinAFactorOfTwo checks that the memory reported to Grew is
// correct within a factor of two.
func TestGrewIsRightWithinAFactorOfTwo(t *testing.T) {
	_, dump := realDump(t)
	list := func(element string) *Document {
		return &Document{Bytes: strings.NewReader("[" + strings.Repeat(element+",", 2000) + "0]")}
	}
	for what, c := range map[string]struct {
		d *Document
		n *Node
	}{
		"a dump, whole":       {dump, wholeNode},
		"a dump, as sections": {dump, &Node{Elem: &Node{Elem: &Node{Elem: shallowNode}}}},
		"values":              {list("[1]"), shallowNode},
		"arrays":              {list("[1,2,3]"), wholeNode},
		"small objects":       {list(`{"a":1,"b":1}`), wholeNode},
		"larger objects":      {list(`{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":1,"k":1,"l":1}`), wholeNode},
		"integers":            {list("123456"), wholeNode},
		"numbers":             {list("1234567.89"), wholeNode},
		"long strings":        {list(`"` + strings.Repeat("x", 2*internMost) + `"`), wholeNode},
		"equal strings":       {list(`"xxxxx"`), wholeNode},
	} {
		const copies = 20
		kept := make([]any, copies)
		var grew int64
		c.d.Grew = func(n int64) { grew += n }
		before := heap()
		for i := range kept {
			var err error
			if kept[i], err = c.d.Pass(t.Context(), 0, -1, nil, c.n, nil); err != nil {
				t.Fatal(err)
			}
		}
		took := heap() - before
		runtime.KeepAlive(kept)
		if grew < took/2 || grew > 2*took {
			t.Errorf("%s: told %d bytes, took %d", what, grew/copies, took/copies)
		}
	}
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
