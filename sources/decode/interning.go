package decode

import "hash/maphash"

const (
	keySlots   = 1 << 10
	valueSlots = 1 << 12
	internMost = 96 // length in bytes; longer strings rarely occur twice
)

// An interning returns cached strings for bytes, so that equal strings usually
// share memory. Each slot contains the last string with a certain hash. A dump has
// some hundred different names in half a million members.
type interning struct {
	twins     *Twins // the table that supplies the strings; if nil, new strings are allocated
	tableMark *byte  // identifies the table that supplied the cached strings
	keys      [keySlots]string
	values    [valueSlots]any // the cached strings as interface values
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

// from sets the table that supplies strings, or nil for none. It drops the strings
// of another table, because their memory is counted there.
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

// value returns the string as an interface value, with its hash if the document shares
// equal values with others. cost is the memory in bytes that was allocated for a new
// string; it is 0 for a string that is shared.
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
