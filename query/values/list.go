package values

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// list is an array that an update has created. The goroutine that created the list may
// change it in place, as [object.Object.With] changes an object. For all other code, the
// list is a lazy value: Force returns its elements, and the next update copies them.
type list struct {
	items  []any
	owner  *object.Token
	age    int         // number of changes that were made in place
	shared atomic.Bool // whether other code may have a reference to the elements
	past   *pastList   // set when an update has moved the elements to a newer list
}

// pastList is the rest of a list whose elements were moved to a newer list by an update.
// It contains a reference to the newer list, and the data to undo the update.
type pastList struct {
	next     *list
	change   change
	place    int
	was      any
	restored atomic.Pointer[list]
}

// A change is the kind of an update that was made in place.
type change int

const (
	listSet   change = iota // an element was replaced; place is its index
	listGrown               // elements were appended; place is the number of elements before
	listCut                 // the last element was removed
	listShift               // the first element was removed
)

// listMost is the number of elements up to which an update copies an array. Copying so
// few elements costs no more than converting the array to a list.
const listMost = 16

// Force returns the elements. After that call, no update changes the elements in place.
func (l *list) Force(context.Context) (any, error) { return l.elements(), nil }

// Forced returns the same as Force, because a list never needs to be loaded.
func (l *list) Forced() (any, bool) { return l.elements(), true }

// Pending returns false: a list never needs to be loaded.
func (*list) Pending() bool { return false }

func (l *list) elements() []any {
	t := l.view()
	if !t.shared.Load() {
		t.shared.Store(true)
	}
	return t.items[:len(t.items):len(t.items)]
}

// view returns a list with the elements that l had when it was created. If an update has
// moved them to a newer list, view undoes the update in a copy.
func (l *list) view() *list {
	if l.past == nil {
		return l
	}
	if r := l.past.restored.Load(); r != nil {
		return r
	}
	var undo []*pastList
	h := l
	for h.past != nil {
		if r := h.past.restored.Load(); r != nil {
			h = r
			break
		}
		undo = append(undo, h.past)
		h = h.past.next
	}
	items := slices.Clone(h.items)
	for _, p := range slices.Backward(undo) {
		switch p.change {
		case listSet:
			items[p.place] = p.was
		case listGrown:
			items = items[:p.place]
		case listCut:
			items = append(items, p.was)
		case listShift:
			items = slices.Insert(items, 0, p.was)
		}
	}
	l.past.restored.CompareAndSwap(nil, &list{items: items})
	return l.past.restored.Load()
}

// Borrow loads a value for a caller that keeps no reference to the array. Unlike after
// Force, later updates may still change the array in place.
func (m *Task) Borrow(v any) (any, error) {
	if l, ok := v.(*list); ok {
		return l.view().items, nil
	}
	return m.Force(v)
}

// owned returns a list that contains the elements of v and may be changed in place. The
// list is v itself (then taken is true), or a copy with room for more elements.
func (m *Task) owned(v any, more int) (l *list, taken bool, err error) {
	items, _ := v.([]any)
	if l, ok := v.(*list); ok {
		if l.past == nil && l.owner == m.mine() && !l.shared.Load() && l.age <= len(l.items)+listMost {
			return l, true, nil
		}
		items = l.view().items
	}
	size := len(items) + more
	if size < listMost {
		size = listMost
	}
	if err := m.Alloc(ItemSize * size); err != nil {
		return nil, false, err
	}
	m.shared.lists.Store(true)
	return &list{items: append(make([]any, 0, size), items...), owner: m.mine()}, false, nil
}

// next moves the elements to a new list, and stores in the old list how to undo the
// change.
func (l *list) next(c change, place int, was any) *list {
	n := &list{items: l.items, owner: l.owner, age: l.age + 1}
	l.items, l.past = nil, &pastList{next: n, change: c, place: place, was: was}
	return n
}

// WithElements returns an array with the elements of v, followed by the elements more.
func WithElements(m *Task, v any, more []any) (any, error) {
	l, taken, err := m.owned(v, len(more))
	if err != nil {
		return nil, err
	}
	n := len(l.items)
	if taken {
		l = l.next(listGrown, n, nil)
	}
	if n+len(more) > cap(l.items) {
		if err := m.Alloc(ItemSize * 2 * (n + len(more))); err != nil {
			return nil, err
		}
	}
	l.items = append(l.items, more...)
	return l, nil
}

// WithElement returns the array v with u as the element at index i. If i is beyond the
// end, WithElement fills the gap with nulls.
func WithElement(m *Task, v any, i int, u any) (any, error) {
	n := lengthOf(v)
	if i > n {
		if err := m.Alloc(ItemSize * (i - n)); err != nil {
			return nil, err
		}
		return WithElements(m, v, append(make([]any, i-n, i-n+1), u))
	}
	if i == n {
		return WithElements(m, v, []any{u})
	}
	l, taken, err := m.owned(v, 0)
	if err != nil {
		return nil, err
	}
	if taken {
		l = l.next(listSet, i, l.items[i])
	}
	l.items[i] = u
	return l, nil
}

// cutList removes the first or the last element of a non-empty array.
func cutList(m *Task, v any, c change) (any, error) {
	l, taken, err := m.owned(v, 0)
	if err != nil {
		return nil, err
	}
	at := 0
	if c == listCut {
		at = len(l.items) - 1
	}
	if taken {
		l = l.next(c, 0, l.items[at])
	}
	l.items[at] = nil
	if c == listCut {
		l.items = l.items[:at]
	} else {
		l.items = l.items[1:]
	}
	return l, nil
}

// Settle returns v with each list replaced by an ordinary array, as the results of a run
// require.
func (m *Task) Settle(v any) any {
	if !m.shared.lists.Load() {
		return v
	}
	return settled(v)
}

// settled returns a value with each list replaced by an ordinary array.
func settled(v any) any {
	switch x := v.(type) {
	case *list:
		return settled(x.elements())
	case []any:
		for i, w := range x {
			if u := settled(w); unsettled(w, u) {
				out := slices.Clone(x)
				for ; i < len(x); i++ {
					out[i] = settled(x[i])
				}
				return out
			}
		}
	case *object.Object:
		for _, w := range x.All() {
			if u := settled(w); unsettled(w, u) {
				out := object.New(x.Len())
				for k, w := range x.All() {
					out.Set(k, settled(w))
				}
				return out
			}
		}
	}
	return v
}

// unsettled reports whether settled replaced a list in w; u is the result of settled(w).
func unsettled(w, u any) bool {
	switch w.(type) {
	case *list:
		return true
	case []any, *object.Object:
		return !mesh.Identical(w, u)
	}
	return false
}

// lengthOf returns the number of elements of an array.
func lengthOf(v any) int {
	switch x := v.(type) {
	case *list:
		return len(x.view().items)
	case []any:
		return len(x)
	}
	return 0
}
