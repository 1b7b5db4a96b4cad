package decode

import (
	"sort"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// All empty containers share these two values, since values are never changed.
var (
	emptyObject = object.New(0)
	emptyArray  = []any{}
)

// object reads the object at the current position.
func (d *decoder) object(n *Node, s Shape) (any, error) {
	anything := isAny(s)
	if anything {
		var err error
		if s, err = d.typed(s); err != nil {
			return nil, err
		}
	} else if t, ok := s.(TaggedShape); ok {
		var err error
		if s, err = d.tagged(t); err != nil {
			return nil, err
		}
	}
	base := len(d.vals)
	var all tally
	_, all.unordered = s.(Unordered)
	d.p++
	c := d.next()
	closed := c == '}'
	if closed {
		d.p++
	}
	for !closed {
		key, err := d.key(c)
		if err != nil {
			return nil, err
		}
		m := d.member(n, s, key, anything && string(key) == typeKey)
		if err := d.colon(); err != nil {
			return nil, err
		}
		v, err := d.value(m.node, m.shape)
		if err != nil {
			return nil, err
		}
		if m.built {
			d.names = append(d.names, m.name)
			d.vals = append(d.vals, v)
			if d.texts.twins != nil {
				all.member(m.name, d.sum)
			}
		}
		if c, closed, err = d.more('}'); err != nil {
			return nil, err
		}
	}
	if n.Walk {
		return nil, nil
	}
	return d.takeObject(base, all), nil
}

// A member describes how to read one member of an object.
type member struct {
	name  string
	node  *Node
	shape Shape
	built bool
}

// member returns how the member of an object with this key is decoded. If asIs
// is set, the shape is ignored and the name stays unchanged.
func (d *decoder) member(n *Node, s Shape, key []byte, asIs bool) (m member) {
	if s != nil && !asIs {
		m.name, m.shape = s.Member(key)
	}
	m.node = n.member(m.name, key)
	m.built = !n.Walk && m.node.builds()
	if m.built && m.name == "" {
		m.name = d.texts.key(key)
	}
	return m
}

// takeObject builds an object from the members that were collected since index
// base.
func (d *decoder) takeObject(base int, all tally) any {
	vals := d.vals[base:]
	names := d.names[len(d.names)-len(vals):]
	if all.unordered {
		sortMembers(names, vals)
	}
	v := d.objectOf(names, vals, all)
	clear(vals)
	d.vals, d.names = d.vals[:base], d.names[:len(d.names)-len(vals)]
	return v
}

// sortMembers sorts the members by name. Insertion sort suits the usual few members
// and keeps equal names in their order.
func sortMembers(names []string, vals []any) {
	if len(names) > 64 {
		sort.Stable(byName{names, vals})
		return
	}
	for i := 1; i < len(names); i++ {
		for j := i; j > 0 && names[j] < names[j-1]; j-- {
			names[j], names[j-1] = names[j-1], names[j]
			vals[j], vals[j-1] = vals[j-1], vals[j]
		}
	}
}

type byName struct {
	names []string
	vals  []any
}

func (m byName) Len() int           { return len(m.names) }
func (m byName) Less(i, j int) bool { return m.names[i] < m.names[j] }
func (m byName) Swap(i, j int) {
	m.names[i], m.names[j] = m.names[j], m.names[i]
	m.vals[i], m.vals[j] = m.vals[j], m.vals[i]
}

func (d *decoder) objectOf(names []string, vals []any, all tally) any {
	if len(vals) == 0 {
		return d.empty(true)
	}
	twins := d.texts.twins
	if all.unshared {
		twins = nil
	}
	sum := mix(all.sum, sumObject)
	if twins != nil && !all.mayRepeat {
		if m := twins.object(sum, names, vals); m != nil {
			d.sum = sum
			return m
		}
	}
	m := object.New(len(vals))
	for i, name := range names {
		m.Set(name, vals[i])
	}
	if m.Len() < len(vals) { // a member with a repeated name was dropped, so the sum doesn't match the object
		twins = nil
	}
	return d.twin(twins, sum, m, vals, object.Size(len(vals)))
}

// twin returns the shared value that equals the container v, or v itself if there
// is none. vals are the contents of v. The memory of numbers in vals is counted
// twice: for the table, which keeps them, and for the document, which allocated
// them.
func (d *decoder) twin(twins *Twins, sum uint64, v any, vals []any, cost int64) any {
	if twins != nil {
		if old, ok := twins.add(sum, v, cost+numbersCost(vals)); ok {
			d.sum = sum
			return old
		}
	}
	d.sum = 0
	d.cost += cost
	return v
}

// empty returns the shared empty object or array.
func (d *decoder) empty(object bool) any {
	if object {
		d.sum = sumNoObject
		return emptyObject
	}
	d.sum = sumNoArray
	return emptyArray
}

// array reads the array at the current position.
func (d *decoder) array(n *Node, s Shape) (any, error) {
	base := len(d.vals)
	var all tally
	child := n.element()
	built := !n.Walk && child.builds()
	d.p++
	closed := d.next() == ']'
	if closed {
		d.p++
	}
	for !closed {
		v, err := d.value(child, s)
		if err != nil {
			return nil, err
		}
		if built {
			d.vals = append(d.vals, v)
			if d.texts.twins != nil {
				all.element(d.sum)
			}
		}
		if _, closed, err = d.more(']'); err != nil {
			return nil, err
		}
	}
	if n.Walk {
		return nil, nil
	}
	return d.takeArray(base, all), nil
}

// takeArray builds an array from the elements that were collected since index
// base.
func (d *decoder) takeArray(base int, all tally) any {
	vals := d.vals[base:]
	v := d.arrayOf(vals, all)
	clear(vals)
	d.vals = d.vals[:base]
	return v
}

func (d *decoder) arrayOf(vals []any, all tally) any {
	if len(vals) == 0 {
		return d.empty(false)
	}
	twins := d.texts.twins
	if all.unshared {
		twins = nil
	}
	sum := mix(all.sum, sumArray)
	if twins != nil {
		if a := twins.array(sum, vals); a != nil {
			d.sum = sum
			return a
		}
	}
	a := make([]any, len(vals))
	copy(a, vals)
	return d.twin(twins, sum, a, vals, arrayCost(len(vals)))
}

// key reads the member name that begins with c, the byte at the current position.
// The result is valid until the next fill.
func (d *decoder) key(c byte) ([]byte, error) {
	if c != '"' {
		return nil, d.fail(d.p, "a name in quotes")
	}
	return d.text()
}

// colon skips the colon between a member's name and its value.
func (d *decoder) colon() error {
	if d.next() != ':' {
		return d.fail(d.p, "':'")
	}
	d.p++
	d.next()
	return nil
}

// more reads the separator after a member or an element. After a comma it returns
// the first byte of the next one. At the closing bracket it returns closed.
func (d *decoder) more(closing byte) (next byte, closed bool, err error) {
	switch d.next() {
	case ',':
		d.p++
		return d.next(), false, nil
	case closing:
		d.p++
		return 0, true, nil
	}
	return 0, false, d.fail(d.p, "',' or '"+string(rune(closing))+"'")
}
