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
	twins  *Twins // where strings come from; nil: they are made
	home   *byte  // of the table that values came from
	keys   [keySlots]string
	values [valueSlots]any // strings, boxed
}

func (t *interning) key(b []byte) string {
	if len(b) > internMost {
		return string(b)
	}
	e := &t.keys[maphash.Bytes(seed, b)%keySlots]
	if *e != string(b) {
		*e = string(b)
	}
	return *e
}

// from sets the table that strings come from, nil for none. What came from
// another is forgotten: it is counted there.
func (t *interning) from(twins *Twins) {
	t.twins = twins
	var home *byte
	if twins != nil {
		home = twins.mark
	}
	if t.home != home {
		t.home = home
		clear(t.values[:])
	}
}

// value gives the string boxed and, if it comes from the table, its sum. cost
// is that of one that was made now and is in no table.
func (t *interning) value(b []byte) (v any, sum uint64, cost int64) {
	short := len(b) <= internMost
	if short || t.twins != nil {
		sum = textSum(b)
	}
	e := &t.values[sum%valueSlots]
	if s, ok := (*e).(string); ok && short && s == string(b) {
		return *e, sum, 0
	}
	if t.twins == nil {
		v, cost = string(b), textCost(len(b))
	} else if twin, ok := t.twins.text(sum, b); ok {
		v = twin
	} else {
		return twin, 0, textCost(len(b))
	}
	if short {
		*e = v
	}
	return v, sum, cost
}
