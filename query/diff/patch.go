package diff

import (
	"strconv"
	"strings"
)

// Operation is one operation of a JSON Patch (RFC 6902). In a remove operation, the Value
// is nil.
type Operation struct {
	Op    string // add, remove or replace
	Path  string // JSON Pointer (RFC 6901) to the value
	Value any
}

// Patch returns the operations that change a's side of a section into b's side. They must
// be applied in order, and their paths begin with the section's name. Where a and b
// differ only in form (the order of names, an explicit default), the patch keeps the form
// of a.
func (s Section) Patch() []Operation {
	if s.Edit == nil {
		return nil
	}
	base := ""
	if s.Name != "" {
		base = "/" + string(s.Name)
	}
	p := &patch{}
	p.edit(s.Edit, base)
	return p.all
}

type patch struct{ all []Operation }

// edit adds the operations that change the value on side a into the value on side b. Both
// sides must have a value.
func (p *patch) edit(e *Edit, at string) {
	switch {
	case e.Same || e.Hidden:
	case len(e.Inside) == 0:
		p.all = append(p.all, Operation{"replace", at, e.B})
	case e.List:
		p.list(e.Inside, at)
	default:
		for i := range e.Inside {
			m := &e.Inside[i]
			p.place(m, at+"/"+pointer(m.KeyA), m.InA, m.InB || m.Same)
		}
	}
}

// list adds the operations that change one list into another, from its first element to
// the last. The indexes in each path take the previous operations into account.
func (p *patch) list(elements []Edit, at string) {
	index := 0
	for i := range elements {
		e := &elements[i]
		p.place(e, at+"/"+strconv.Itoa(index), e.InA, e.InB || e.Hidden)
		if e.InB || e.Hidden {
			index++
		}
	}
}

func (p *patch) place(e *Edit, at string, inA, inB bool) {
	switch {
	case inA && inB:
		p.edit(e, at)
	case inA:
		p.all = append(p.all, Operation{Op: "remove", Path: at})
	default:
		p.all = append(p.all, Operation{"add", at, e.B})
	}
}

// pointer escapes a name for use in a JSON Pointer.
func pointer(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}
