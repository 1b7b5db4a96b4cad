package decode

import "hash/maphash"

const (
	keySlots   = 1 << 10
	valueSlots = 1 << 12
	internMost = 96 // length in bytes; longer strings seldom occur twice
)

// An interning usually returns the same string for equal bytes. Each slot holds the
// last string with its hash. A dump has some hundred different names in half a
// million members.
type interning struct {
	twins     *Twins // the table that strings come from; if nil, new strings are allocated
	tableMark *byte  // the mark of the table that the cached values come from
	keys      [keySlots]string
	values    [valueSlots]any // cached strings as interface values
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

// from sets the table that strings come from, nil for none. Strings of another table
// are dropped, because they count as memory of that table.
func (t *interning) from(twins *Twins) {
	t.twins = twins
	var home *byte
	if twins != nil {
		home = twins.mark
	}
	if t.tableMark != home {
		t.tableMark = home
		clear(t.values[:])
	}
}

// value returns the string as an interface value. If it comes from the table, its
// sum is returned as well. cost is the memory in bytes of a new string that isn't in
// a table.
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
