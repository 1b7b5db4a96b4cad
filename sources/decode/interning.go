package decode

import "hash/maphash"

const (
	keySlots   = 1 << 10
	valueSlots = 1 << 12
	internMost = 96 // bytes; longer strings are seldom twice the same
)

// An interning gives one string for equal bytes, most of the time: a slot
// holds the last one of its hash. A dump has some hundred different names in
// half a million members.
type interning struct {
	seed   maphash.Seed
	keys   [keySlots]string
	values [valueSlots]any // strings, boxed
}

func (t *interning) key(b []byte) string {
	if len(b) > internMost {
		return string(b)
	}
	e := &t.keys[maphash.Bytes(t.seed, b)%keySlots]
	if *e != string(b) {
		*e = string(b)
	}
	return *e
}

// value gives the string boxed; fresh when it was made now.
func (t *interning) value(b []byte) (v any, fresh bool) {
	if len(b) > internMost {
		return string(b), true
	}
	e := &t.values[maphash.Bytes(t.seed, b)%valueSlots]
	if s, ok := (*e).(string); ok && s == string(b) {
		return *e, false
	}
	*e = string(b)
	return *e, true
}
