package diff

import (
	"strconv"
	"strings"
)

// An Operation is one of a JSON Patch (RFC 6902). Value is nothing to a remove.
type Operation struct {
	Op    string // add, remove, replace
	Path  string // a JSON pointer
	Value any
}

// Patch gives the operations that make b's side of a section of a's, one after
// the other. The section stands under its name. What means nothing (the order
// of names, a default that is written) stays as a has it.
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

// edit makes a's value at a place b's, which both have.
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

// list goes along a list as it becomes: what was removed has made room.
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

// pointer writes a name as a part of a JSON pointer.
func pointer(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}
