package object

import (
	"slices"
	"sync/atomic"
)

// A Token identifies one goroutine of a run. That goroutine may update objects in
// place that were created with the token. When it gets a new token, these objects can
// no longer be changed.
type Token struct{ _ byte }

// A past is stored in an old object whose members were moved to a newer object by
// an update in place. It contains the change that the update made, and the newer
// object.
type past struct {
	next     *Object
	place    int
	was      entry
	added    bool // true if the update added the entry
	restored atomic.Pointer[Object]
}

// view returns the object with the members of o. This is o itself, unless an update
// in place has moved the members.
func (o *Object) view() *Object {
	if o == nil || o.rare == nil || o.rare.past == nil {
		return o
	}
	return o.restore()
}

// restore rebuilds the members of an object from which an update in place has moved
// them. It copies the members of the newest object and undoes the changes made since.
// Several goroutines may call it.
func (o *Object) restore() *Object {
	if r := o.rare.past.restored.Load(); r != nil {
		return r
	}
	var undo []*past
	h := o
	for h.rare != nil && h.rare.past != nil {
		if r := h.rare.past.restored.Load(); r != nil {
			h = r
			break
		}
		undo = append(undo, h.rare.past)
		h = h.rare.past.next
	}
	entries := slices.Clone(h.entries)
	for _, p := range slices.Backward(undo) {
		if p.added {
			entries = entries[:p.place]
		} else {
			entries[p.place] = p.was
		}
	}
	r := &Object{entries: entries}
	dead := 0
	for i := range entries {
		if !entries[i].live() {
			dead++
		}
	}
	if dead > 0 || len(entries) > scanMost {
		r.rare = &rare{dead: dead}
	}
	if len(entries) > scanMost {
		r.rare.index = indexOf(entries)
	}
	o.rare.past.restored.CompareAndSwap(nil, r)
	return o.rare.past.restored.Load()
}

// slack limits the number of updates in place. When an object has had as many of them
// as it has members, plus slack, the next update copies the object. So reading an old
// object never undoes many more changes than it has members.
const slack = 16

// owned reports whether an update with the token may be made in place, by moving the
// members to the new object. If not, the update has to copy the members.
func (o *Object) owned(t *Token) bool {
	r := o.rare
	return t != nil && r != nil && r.past == nil && r.owner == t && r.age <= len(o.entries)+slack && r.dead <= len(o.entries)/2
}

// take moves the members to a new object. The old object stores the entry that
// the caller is about to change, so that it can restore the members.
func (o *Object) take(place int, added bool) *Object {
	next := &Object{o.entries, o.rare}
	next.rare.age++
	p := &past{next: next, place: place, added: added}
	if !added {
		p.was = o.entries[place]
	}
	o.entries, o.rare = nil, &rare{past: p}
	return next
}

// copyFor returns a copy of the object that may be updated with the token.
func (o *Object) copyFor(t *Token, more int) *Object {
	from := o.view()
	c := New(from.Len() + more)
	for k, v := range from.All() {
		c.add(k, v)
	}
	c.own().owner = t
	return c
}

// With returns an object with a member set; the content of o stays the same. If o was
// returned by With or Without for the same token, the members are moved and changed
// in place, and the next read of o makes a copy, once. copied is the number of
// members for which memory was allocated.
func (o *Object) With(t *Token, key string, v any) (with *Object, copied int) {
	if o == nil || !o.owned(t) {
		c := o.copyFor(t, 1)
		c.Set(key, v)
		return c, len(c.entries)
	}
	if i := o.find(key); i >= 0 {
		next := o.take(i, false)
		next.entries[i].val = v
		return next, 0
	}
	if len(o.entries) == cap(o.entries) {
		copied = 2 * len(o.entries)
		o.entries = slices.Grow(o.entries, len(o.entries)+1)
	}
	next := o.take(len(o.entries), true)
	next.add(key, v)
	return next, copied
}

// Without returns an object without a member, in the same way as [Object.With].
func (o *Object) Without(t *Token, key string) (without *Object, copied int) {
	if !o.Has(key) {
		return o, 0
	}
	if !o.owned(t) {
		c := o.copyFor(t, 0)
		c.Delete(key)
		return c, len(c.entries)
	}
	i := o.find(key)
	next := o.take(i, false)
	next.entries[i] = entry{val: deleted{}}
	next.rare.dead++
	return next, 0
}
