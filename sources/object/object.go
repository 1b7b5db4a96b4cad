// Package object implements the objects of the document and of the query language:
// maps from strings to values. They keep the order in which their keys were set, as
// jq's objects do.
//
// An Object is small: it has one slice of members, and an index only if there are
// many. Several goroutines may read an object that is no longer changed.
package object

import (
	"iter"
	"slices"
)

// An Object is a map from strings to values, in the order in which the keys were
// first set. A key that is deleted and set again goes last. A nil *Object can be
// read and has no members.
type Object struct {
	entries []entry
	rare    *rare // data that most objects don't need; nil for those
}

type entry struct {
	key string
	val any
}

// A rare has data that most objects don't need.
type rare struct {
	index *index // the index of the keys; set if there are more than scanMost members
	dead  int    // the number of deleted members that still have an entry

	owner *Token // the token that allows updates in place
	age   int    // the number of updates in place
	past  *past  // the newer object to which an update has moved the members; nil if they were not moved
}

// A deleted marks the entry of a deleted member, as the entry's value.
type deleted struct{}

// New returns an object without members, with memory allocated for capacity members.
func New(capacity int) *Object {
	o := &Object{}
	if capacity > 0 {
		o.entries = make([]entry, 0, capacity)
	}
	if capacity > scanMost {
		o.rare = &rare{index: newIndex(capacity)}
	}
	return o
}

// Of returns an object with the given keys and values, which alternate: Of("name",
// "x", "port", 80).
func Of(keysAndValues ...any) *Object {
	o := New(len(keysAndValues) / 2)
	for i := 0; i < len(keysAndValues); i += 2 {
		o.Set(keysAndValues[i].(string), keysAndValues[i+1])
	}
	return o
}

// Len returns the number of members.
func (o *Object) Len() int {
	if o = o.view(); o == nil {
		return 0
	}
	if o.rare != nil {
		return len(o.entries) - o.rare.dead
	}
	return len(o.entries)
}

// Get returns the value of a key, or nil if the object has no such key.
func (o *Object) Get(key string) any {
	v, _ := o.Lookup(key)
	return v
}

// Lookup returns the value of a key, and whether the object has the key.
func (o *Object) Lookup(key string) (any, bool) {
	if o = o.view(); o == nil {
		return nil, false
	}
	if i := o.find(key); i >= 0 {
		return o.entries[i].val, true
	}
	return nil, false
}

// At returns the i-th member. No member may have been deleted from the object.
func (o *Object) At(i int) (key string, v any) {
	e := &o.view().entries[i]
	return e.key, e.val
}

// Has reports whether the object has a member with this key.
func (o *Object) Has(key string) bool {
	o = o.view()
	return o != nil && o.find(key) >= 0
}

// find returns the index of a key's entry, or -1 if there is none.
func (o *Object) find(key string) int {
	if o.rare == nil {
		return scan(o.entries, key)
	}
	if o.rare.index == nil {
		return scanLive(o.entries, key)
	}
	return o.rare.index.find(o.entries, key)
}

func scan(entries []entry, key string) int {
	for i := range entries {
		if entries[i].key == key {
			return i
		}
	}
	return -1
}

func scanLive(entries []entry, key string) int {
	for i := range entries {
		if entries[i].key == key && entries[i].live() {
			return i
		}
	}
	return -1
}

func (e *entry) live() bool {
	_, gone := e.val.(deleted)
	return !gone
}

// Set sets the value of a key. A new key is added at the end. Set changes the object
// itself: only the code that created the object may call it, before any other code
// reads the object.
func (o *Object) Set(key string, v any) {
	if i := o.find(key); i >= 0 {
		o.entries[i].val = v
		return
	}
	o.add(key, v)
}

// add appends a member whose key isn't in the object yet.
func (o *Object) add(key string, v any) {
	if o.rare != nil && o.rare.dead > len(o.entries)/2 {
		o.compact()
	}
	o.entries = append(o.entries, entry{key, v})
	switch hasIndex := o.rare != nil && o.rare.index != nil; {
	case hasIndex && !o.rare.index.shared:
		o.rare.index.add(o.entries)
	case hasIndex || len(o.entries) > scanMost:
		o.own().index = indexOf(o.entries)
	}
}

// ShareIndex makes the object use the index of another object, if that has the same
// keys in the same order; otherwise it does nothing. Objects that have the same
// fields, such as the proxies of a large mesh, then need less memory.
func (o *Object) ShareIndex(with *Object) {
	if o.rare == nil || with == nil || with.rare == nil || with.rare.index == nil || o.rare.dead+with.rare.dead > 0 || len(o.entries) != len(with.entries) {
		return
	}
	for i := range o.entries {
		if o.entries[i].key != with.entries[i].key {
			return
		}
	}
	with.rare.index.shared = true
	o.rare.index = with.rare.index
}

func (o *Object) own() *rare {
	if o.rare == nil {
		o.rare = &rare{}
	}
	return o.rare
}

// SetFirst does the same as Set, but adds a new key before all others.
func (o *Object) SetFirst(key string, v any) {
	if i := o.find(key); i >= 0 {
		o.entries[i].val = v
		return
	}
	o.entries = slices.Insert(o.entries, 0, entry{key, v})
	if len(o.entries) > scanMost || o.rare != nil && o.rare.index != nil {
		o.own().index = indexOf(o.entries)
	}
}

// Rotate moves the members from index n on to the front. No member may have been
// deleted from the object.
func (o *Object) Rotate(n int) {
	if n == 0 || n == len(o.entries) {
		return
	}
	o.entries = slices.Concat(o.entries[n:], o.entries[:n])
	if o.rare != nil {
		o.rare.index = indexOf(o.entries)
	}
}

// SetAll copies every member of another object to this object.
func (o *Object) SetAll(from *Object) {
	for k, v := range from.All() {
		o.Set(k, v)
	}
}

// Delete removes the member with this key, if there is one. Like Set, it may only be
// called by the code that created the object.
func (o *Object) Delete(key string) {
	if o == nil {
		return
	}
	i := o.find(key)
	if i < 0 {
		return
	}
	if i == len(o.entries)-1 && (o.rare == nil || o.rare.index == nil) {
		o.entries[i] = entry{}
		o.entries = o.entries[:i]
		return
	}
	o.entries[i] = entry{val: deleted{}}
	o.own().dead++
}

// compact removes the entries of deleted members.
func (o *Object) compact() {
	left := o.entries[:0]
	for i := range o.entries {
		if o.entries[i].live() {
			left = append(left, o.entries[i])
		}
	}
	clear(o.entries[len(left):])
	o.entries, o.rare.dead, o.rare.index = left, 0, nil
	if len(left) > scanMost {
		o.rare.index = indexOf(left)
	}
}

// All iterates over the members in order. During the iteration, values may be set
// and members deleted.
func (o *Object) All() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		if o == nil {
			return
		}
		for i := 0; ; i++ {
			t := o.view() // an update may have moved the members to a newer object
			if i >= len(t.entries) {
				return
			}
			if e := &t.entries[i]; e.live() && !yield(e.key, e.val) {
				return
			}
		}
	}
}

// Keys returns the keys in the order of the members.
func (o *Object) Keys() []string {
	keys := make([]string, 0, o.Len())
	for k := range o.All() {
		keys = append(keys, k)
	}
	return keys
}

// Sorted returns the keys in alphabetical order.
func (o *Object) Sorted() []string {
	keys := o.Keys()
	slices.Sort(keys)
	return keys
}

// Clone returns a copy of the object. The values themselves aren't copied.
func (o *Object) Clone() *Object {
	c := New(o.Len())
	for k, v := range o.All() {
		c.add(k, v)
	}
	return c
}

// OrNull returns the object as a value of the document, which is null for a nil
// object.
func (o *Object) OrNull() any {
	if o == nil {
		return nil
	}
	return o
}

// Text returns the value of a key if it is a string, and "" otherwise.
func (o *Object) Text(key string) string {
	s, _ := o.Get(key).(string)
	return s
}

// Object returns the value of a key if it is an object, and nil otherwise.
func (o *Object) Object(key string) *Object {
	m, _ := o.Get(key).(*Object)
	return m
}
