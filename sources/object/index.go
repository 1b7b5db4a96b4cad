package object

import "hash/maphash"

// scanMost is the largest number of members for which a key is found by comparing
// it with each of them. For so few members, that is as fast as an index.
const scanMost = 8

// An index finds the position of a key. It is a hash table with open addressing. A
// slot contains a position plus 1, or 0 if the slot is empty. The table grows when
// it is two thirds full.
type index struct {
	slots  []int32
	used   int
	shared bool // true if several objects use this index, so that it must not be changed
}

// Size estimates the memory in bytes that an object with this number of members
// takes, without the values of the members. The estimate is used for a memory
// budget.
func Size(members int) int64 {
	const header, member, rareAndIndex, slot = 32, 32, 48, 4
	n := int64(header + member*members)
	if members > scanMost {
		n += rareAndIndex + slot*slotsFor(members)
	}
	return n
}

func slotsFor(members int) int64 {
	n := int64(16)
	for n*2 < int64(members)*3 {
		n *= 2
	}
	return n
}

var seed = maphash.MakeSeed()

func newIndex(capacity int) *index {
	return &index{slots: make([]int32, slotsFor(capacity))}
}

// indexOf builds the index of the entries.
func indexOf(entries []entry) *index {
	x := newIndex(2 * len(entries))
	for i := range entries {
		if entries[i].live() {
			x.put(entries[i].key, i)
		}
	}
	return x
}

func (x *index) find(entries []entry, key string) int {
	mask := uint64(len(x.slots) - 1)
	for h := maphash.String(seed, key) & mask; ; h = (h + 1) & mask {
		i := x.slots[h] - 1
		if i < 0 {
			return -1
		}
		if e := &entries[i]; e.key == key && e.live() {
			return int(i)
		}
	}
}

// add adds the last entry of the slice to the index.
func (x *index) add(entries []entry) {
	if (x.used+1)*3 > len(x.slots)*2 {
		*x = *indexOf(entries)
		return
	}
	x.put(entries[len(entries)-1].key, len(entries)-1)
}

func (x *index) put(key string, place int) {
	mask := uint64(len(x.slots) - 1)
	h := maphash.String(seed, key) & mask
	for x.slots[h] != 0 {
		h = (h + 1) & mask
	}
	x.slots[h] = int32(place + 1)
	x.used++
}
