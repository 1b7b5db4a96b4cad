package syntax

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Format writes a tree as one line of the language; method calls stay method
// calls. Parsing that line gives the same tree, at other places.
func Format(q *Query) string {
	f := &formatter{}
	f.program(q)
	return f.String()
}

type formatter struct{ strings.Builder }

func (f *formatter) put(parts ...string) {
	for _, s := range parts {
		f.WriteString(s)
	}
}

// list writes n items with something between them.
func (f *formatter) list(n int, between string, item func(i int)) {
	for i := range n {
		if i > 0 {
			f.put(between)
		}
		item(i)
	}
}

func (f *formatter) queries(between string, list []*Query) {
	f.list(len(list), between, func(i int) { f.query(list[i]) })
}

func (f *formatter) program(q *Query) {
	if q.Meta != nil {
		f.put("module ")
		f.constObject(q.Meta)
		f.put("; ")
	}
	for _, im := range q.Imports {
		if im.ImportAlias != "" {
			f.put("import ", quote(im.ImportPath), " as ", im.ImportAlias)
		} else {
			f.put("include ", quote(im.IncludePath))
		}
		if im.Meta != nil {
			f.put(" ")
			f.constObject(im.Meta)
		}
		f.put("; ")
	}
	f.query(q)
}

func (f *formatter) query(q *Query) {
	for _, fd := range q.FuncDefs {
		f.put("def ", fd.Name)
		if len(fd.Args) > 0 {
			f.put("(", strings.Join(fd.Args, "; "), ")")
		}
		f.put(": ")
		f.query(fd.Body)
		f.put("; ")
	}
	switch {
	case q.Term != nil:
		f.term(q.Term)
	case q.Op == OpComma:
		f.query(q.Left)
		f.put(", ")
		f.query(q.Right)
	case q.Op != 0:
		f.query(q.Left)
		f.bindings(q.Patterns)
		f.put(" ", q.Op.String(), " ")
		f.query(q.Right)
	}
}

func (f *formatter) bindings(list []*Pattern) {
	for i, p := range list {
		if i == 0 {
			f.put(" as ")
		} else {
			f.put(" ?// ")
		}
		f.pattern(p)
	}
}

func (f *formatter) pattern(p *Pattern) {
	f.put(p.Name)
	if p.Array != nil {
		f.put("[")
		f.list(len(p.Array), ", ", func(i int) { f.pattern(p.Array[i]) })
		f.put("]")
	}
	if p.Object != nil {
		f.put("{")
		f.list(len(p.Object), ", ", func(i int) {
			member := p.Object[i]
			f.key(member.Key, member.KeyString, member.KeyQuery)
			if member.Val != nil {
				f.put(": ")
				f.pattern(member.Val)
			}
		})
		f.put("}")
	}
}

// key writes a member's key, of which one form is set.
func (f *formatter) key(name string, text *String, q *Query) {
	switch {
	case text != nil:
		f.text(text)
	case q != nil:
		f.put("(")
		f.query(q)
		f.put(")")
	default:
		f.put(name)
	}
}

// text writes a string literal.
func (f *formatter) text(s *String) {
	if s.Queries == nil {
		f.put(quote(s.Str))
		return
	}
	f.put(`"`)
	for _, part := range s.Queries {
		if part.Term.Str != nil {
			f.put(escapes(part.Term.Str.Str))
			continue
		}
		f.put(`\(`)
		f.query(part.Term.Query)
		f.put(")")
	}
	f.put(`"`)
}

func quote(s string) string { return `"` + escapes(s) + `"` }

// escapes is what stands between the quotes of a literal.
func escapes(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteString(`\` + string(r))
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case r < ' ' || r == 0x7f || r == utf8.RuneError || invisible(r) && r > ' ' && r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func (f *formatter) constObject(o *ConstObject) {
	f.put("{")
	f.list(len(o.KeyVals), ", ", func(i int) {
		kv := o.KeyVals[i]
		if kv.Key != "" {
			f.put(kv.Key, ": ")
		} else {
			f.put(quote(kv.KeyString), ": ")
		}
		f.constant(kv.Val)
	})
	f.put("}")
}

func (f *formatter) constant(t *ConstTerm) {
	switch {
	case t.Object != nil:
		f.constObject(t.Object)
	case t.Array != nil:
		f.put("[")
		f.list(len(t.Array.Elems), ", ", func(i int) { f.constant(t.Array.Elems[i]) })
		f.put("]")
	case t.Number != "":
		f.put(t.Number)
	case t.Null:
		f.put("null")
	case t.True:
		f.put("true")
	case t.False:
		f.put("false")
	default:
		f.put(quote(t.Str))
	}
}
