package values

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// list is an array that was made by an update. The goroutine that made it may
// change it in place, as [object.Object.With] changes an object. Everywhere else
// it is a lazy value: force returns its elements, and from then on an update
// copies them.
type list struct {
	items  []any
	owner  *object.Token
	age    int         // updates in place
	shared atomic.Bool // somebody holds the elements
	past   *pastList   // it has no elements: they were updated
}

// pastList is kept by a list whose elements an update in place has moved to a
// newer list: the change that the update made, and the newer list.
type pastList struct {
	next     *list
	change   change
	place    int
	was      any
	restored atomic.Pointer[list]
}

// A change is what an update did to the elements.
type change int

const (
	listSet   change = iota // another element at the place
	listGrown               // more than place elements
	listCut                 // without the last
	listShift               // without the first
)

// listMost is the number of elements up to which every update copies the array:
// copying so few costs no more than a list does.
const listMost = 16

// Force gives the elements. From now on they are not changed any more.
func (l *list) Force(context.Context) (any, error) { return l.elements(), nil }

// Forced is Force, which costs nothing.
func (l *list) Forced() (any, bool) { return l.elements(), true }

// Pending is false.
func (*list) Pending() bool { return false }

func (l *list) elements() []any {
	t := l.view()
	if !t.shared.Load() {
		t.shared.Store(true)
	}
	return t.items[:len(t.items):len(t.items)]
}

// view returns the list that holds the elements of l: l itself, unless an update
// in place has moved them.
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

// Borrow is force for a caller that does not keep the array: unlike after force,
// later updates may still change the array in place.
func (m *Task) Borrow(v any) (any, error) {
	if l, ok := v.(*list); ok {
		return l.view().items, nil
	}
	return m.Force(v)
}

// owned returns a list with the elements of v that may be changed in place: v
// itself (taken is true), or a copy with room for more elements.
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

// next moves the elements to a new list. The old one remembers the change.
func (l *list) next(c change, place int, was any) *list {
	n := &list{items: l.items, owner: l.owner, age: l.age + 1}
	l.items, l.past = nil, &pastList{next: n, change: c, place: place, was: was}
	return n
}

// WithElements is an array with more elements at its end.
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

// WithElement is an array with another element at a place, which may lie behind
// its end.
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

// cutList removes the first or the last element of an array that isn't empty.
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

// Settle returns v without lists: what leaves the run is made of arrays.
func (m *Task) Settle(v any) any {
	if !m.shared.lists.Load() {
		return v
	}
	return settled(v)
}

// settled replaces all lists in a value by arrays.
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

// unsettled tells whether settled made another value of w.
func unsettled(w, u any) bool {
	switch w.(type) {
	case *list:
		return true
	case []any, *object.Object:
		return !mesh.Identical(w, u)
	}
	return false
}

// lengthOf is the number of elements of an array.
func lengthOf(v any) int {
	switch x := v.(type) {
	case *list:
		return len(x.view().items)
	case []any:
		return len(x)
	}
	return 0
}
