package demand

import (
	"maps"
	"slices"
	"strings"
)

// A Tree is what is looked at of a value. Nil is nothing; the zero Tree is
// whether it is there and of which type, which is all of a scalar. Trees are
// shared, and not to be changed.
type Tree struct {
	All   bool // everything in it
	Few   bool // everything in it, of such elements only as a condition on their name picks
	Shown bool // it is printed: what that looks at depends on its kind
	Count bool // how many elements, or which members, it has

	Fields  map[string]*Tree // of an object, these members; nil for one that is taken out and not looked at
	Members *Tree            // of an object, each member that is not among Fields
	Items   *Tree            // of an array, each element
}

// everything is looked at, or just whether it is there.
func everything() *Tree { return &Tree{All: true} }
func presence() *Tree   { return &Tree{} }

// Join gives what either looks at.
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

// whole tells whether all of the value may be looked at.
func (t *Tree) whole() bool { return t != nil && (t.All || t.Few || t.Shown) }

// Item gives what is looked at of the elements, if the value is an array.
func (t *Tree) Item() *Tree {
	switch {
	case t == nil:
		return nil
	case t.whole():
		return everything()
	}
	return t.Items
}

// Field gives what is looked at of a member, if the value is an object.
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

// part gives what is looked at of any part of the value, an element or a
// member.
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

// ofArray and ofObject give what is looked at if the value is such a one.
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

// counted, each, items and field make what is looked at of a value by who
// counts its parts, iterates over them, picks elements, or a member.
func (t *Tree) counted() *Tree { return Join(t, &Tree{Count: true}) }

func each(t *Tree) *Tree { return &Tree{Count: true, Members: t, Items: t} }

func items(t *Tree) *Tree { return &Tree{Count: true, Items: t} }

func field(name string, t *Tree) *Tree {
	return &Tree{Fields: map[string]*Tree{name: t}}
}

// few is what is looked at of elements that are picked by their name.
func few(t *Tree) *Tree {
	if t != nil && t.All {
		return &Tree{Few: true}
	}
	return t
}

// String writes the tree on one line: "*" for everything, "#" for a count,
// "[]" in front of what is looked at of each part, "[:]" of elements only, "?"
// of members only.
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
