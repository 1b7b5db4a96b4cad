package demand

import (
	"maps"
	"slices"
	"strings"
)

// A Tree describes which parts of a value are read. A nil Tree means that nothing is
// read. The zero Tree means that only the existence and the type of the value are read; a
// scalar is then read completely. Trees are shared and must not be changed.
type Tree struct {
	All   bool // everything in the value is read
	Few   bool // a condition on the names selects a few elements, of which everything is read
	Shown bool // the value is printed, so the fields that are read depend on the kind of object
	Count bool // the number of elements, or the names of the members, is read

	// for an object: the parts of each of these members that are read; nil for a member
	// that is passed on but not read
	Fields  map[string]*Tree
	Members *Tree // for an object: the parts of each other member that are read
	Items   *Tree // for an array: the parts of each element that are read
}

// everything returns the Tree of a value that is read completely. presence returns the
// Tree of a value of which only the existence is read.
func everything() *Tree { return &Tree{All: true} }
func presence() *Tree   { return &Tree{} }

// Join returns a Tree that includes all parts that one of the given trees includes.
func Join(trees ...*Tree) *Tree {
	var sum *Tree
	for _, t := range trees {
		sum = sum.join(t)
	}
	return sum
}

func (t *Tree) join(u *Tree) *Tree {
	switch {
	case t == nil || u == t || u != nil && u.All:
		return u
	case u == nil || t.All:
		return t
	}
	sum := &Tree{Shown: t.Shown || u.Shown, Few: t.Few || u.Few, Count: t.Count || u.Count, Members: t.Members.join(u.Members), Items: t.Items.join(u.Items)}
	if len(t.Fields)+len(u.Fields) > 0 {
		sum.Fields = make(map[string]*Tree, len(t.Fields)+len(u.Fields))
		for k, v := range t.Fields {
			sum.Fields[k] = v.join(u.Fields[k])
		}
		for k, v := range u.Fields {
			sum.Fields[k] = v.join(t.Fields[k])
		}
	}
	return sum
}

// whole reports whether all of the value may be read.
func (t *Tree) whole() bool { return t != nil && (t.All || t.Few || t.Shown) }

// Item returns the Tree for the elements, if the value is an array.
func (t *Tree) Item() *Tree {
	switch {
	case t == nil:
		return nil
	case t.whole():
		return everything()
	}
	return t.Items
}

// Field returns the Tree for the member with this name, if the value is an object.
func (t *Tree) Field(name string) *Tree {
	if t.whole() {
		return everything()
	}
	if t == nil {
		return nil
	}
	if f, ok := t.Fields[name]; ok {
		return Join(f, t.Members)
	}
	return t.Members
}

// part returns the Tree for any part of the value: an element or a member.
func (t *Tree) part() *Tree {
	if t == nil {
		return nil
	}
	sum := Join(t.Item(), t.Field(""))
	for _, f := range t.Fields {
		sum = sum.join(f)
	}
	return sum
}

// ofArray returns the Tree for a value that is known to be an array, and ofObject the
// Tree for a value that is known to be an object.
func (t *Tree) ofArray() *Tree {
	if t == nil {
		return nil
	}
	return &Tree{Count: t.Count || t.whole(), Items: t.Item()}
}

func (t *Tree) ofObject() *Tree {
	if t == nil {
		return nil
	}
	if t.All || t.Few {
		return &Tree{Count: true, Members: everything()}
	}
	return &Tree{Shown: t.Shown, Count: t.Count, Fields: t.Fields, Members: t.Members}
}

// counted, each, items and field return the Tree for a value of which a query counts the
// parts, iterates over the parts, takes the elements, or takes one member.
func (t *Tree) counted() *Tree { return Join(t, &Tree{Count: true}) }

func each(t *Tree) *Tree { return &Tree{Count: true, Members: t, Items: t} }

func items(t *Tree) *Tree { return &Tree{Count: true, Items: t} }

func field(name string, t *Tree) *Tree {
	return &Tree{Fields: map[string]*Tree{name: t}}
}

// few returns the Tree for elements of which a query selects a few by their names.
func few(t *Tree) *Tree {
	if t != nil && t.All {
		return &Tree{Few: true}
	}
	return t
}

// String returns the tree on one line, for tests and debugging. "*" means everything, "-"
// means nothing, "#" means the number of parts, and "print" means that the value is
// printed. The trees of parts follow a label and a colon. The label is "[:]" for the
// elements of an array, "?" for the members of an object, "[]" for both, or the name of a
// member.
func (t *Tree) String() string {
	switch {
	case t == nil:
		return "-"
	case t.All || t.Few:
		return "*"
	}
	var parts []string
	add := func(label string, t *Tree) {
		switch s := t.String(); s {
		case "-":
		case "{}":
			parts = append(parts, label)
		default:
			parts = append(parts, label+":"+s)
		}
	}
	if t.Shown {
		parts = append(parts, "print")
	}
	if t.Count {
		parts = append(parts, "#")
	}
	for _, k := range slices.Sorted(maps.Keys(t.Fields)) {
		add(k, t.Fields[k])
	}
	if t.Members.String() == t.Items.String() {
		add("[]", t.Items)
	} else {
		add("?", t.Members)
		add("[:]", t.Items)
	}
	return "{" + strings.Join(parts, " ") + "}"
}
