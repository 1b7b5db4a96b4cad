package syntax

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Format returns the source text of a tree, on one line. Method calls remain method
// calls. Parsing the line returns the same tree, except for the positions.
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

// list writes n items with a separator between them.
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

// key writes the key of an object's member: a name, a string or a query.
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

// text writes a string literal with its quotes.
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

// escapes returns the text of a string literal, with all escapes that a literal requires.
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

func (f *formatter) term(t *Term) {
	suffixes := t.SuffixList
	if receiver, call := t.methodCall(); call != nil && (len(suffixes) == 0 || !suffixes[0].Optional) {
		f.term(receiver)
		f.apart(receiver)
		f.term(call)
	} else {
		f.primary(t)
	}
	for i, s := range suffixes {
		if i == 0 && s.Index != nil && t.Type == TermIdentity && !s.Index.named() {
			f.put(" .") // without the space, .[0] would be parsed as one index
		} else if i == 0 && s.Index != nil && s.Index.named() {
			f.apart(&Term{Type: t.Type})
		}
		f.suffix(s)
	}
}

// methodCall returns X and f for a term (X | f) that can be written as X.f().
func (t *Term) methodCall() (receiver, call *Term) {
	q := t.Query
	if t.Type != TermQuery || q.Op != OpPipe || q.Patterns != nil || q.FuncDefs != nil || q.Left.Term == nil || q.Right.Term == nil {
		return nil, nil
	}
	receiver, call = q.Left.Term, q.Right.Term
	switch receiver.Type {
	// written as a method call, f would apply only to a part of such a term, for example
	// to the 1 in -1
	case TermUnary, TermTry, TermLabel, TermBreak:
		return nil, nil
	}
	if call.Type != TermFunc || !call.Func.Method || q.Left.FuncDefs != nil || q.Right.FuncDefs != nil ||
		slices.ContainsFunc(call.SuffixList, func(s *Suffix) bool { return !s.Optional }) {
		return nil, nil
	}
	return receiver, call
}

// apart writes a space after a term if a dot after the term would be read as a part of
// it, as after a number.
func (f *formatter) apart(t *Term) {
	if len(t.SuffixList) == 0 && (t.Type == TermIdentity || t.Type == TermRecurse || t.Type == TermNumber) {
		f.put(" ")
	}
}

func (f *formatter) suffix(s *Suffix) {
	switch {
	case s.Index != nil && s.Index.named():
		f.put(".")
		f.index(s.Index)
	case s.Index != nil:
		f.index(s.Index)
	case s.Iter:
		f.put("[]")
	default:
		f.put("?")
	}
}

// named reports whether the index has the form .name or ."name".
func (x *Index) named() bool { return x.Name != "" || x.Str != nil }

// index writes an index without its first dot.
func (f *formatter) index(x *Index) {
	switch {
	case x.Str != nil:
		f.text(x.Str)
		return
	case x.Name != "":
		f.put(x.Name)
		return
	}
	f.put("[")
	if x.Start != nil {
		f.query(x.Start)
	}
	if x.IsSlice {
		f.put(":")
	}
	if x.End != nil {
		f.query(x.End)
	}
	f.put("]")
}

func (f *formatter) primary(t *Term) {
	switch t.Type {
	case TermIdentity:
		f.put(".")
	case TermRecurse:
		f.put("..")
	case TermNull:
		f.put("null")
	case TermTrue:
		f.put("true")
	case TermFalse:
		f.put("false")
	case TermIndex:
		f.put(".")
		f.index(t.Index)
	case TermFunc:
		f.call(t.Func)
	case TermObject:
		f.object(t.Object)
	case TermArray:
		f.put("[")
		if t.Array.Query != nil {
			f.query(t.Array.Query)
		}
		f.put("]")
	case TermNumber:
		f.put(t.Number)
	case TermUnary:
		f.put(t.Unary.Op.String())
		f.term(t.Unary.Term)
	case TermFormat, TermString:
		f.put(t.Format)
		if t.Format != "" && t.Str != nil {
			f.put(" ")
		}
		if t.Str != nil {
			f.text(t.Str)
		}
	case TermQuery:
		f.put("(")
		f.query(t.Query)
		f.put(")")
	default:
		f.control(t)
	}
}

func (f *formatter) call(c *Func) {
	if c.Method {
		f.put(".")
	}
	f.put(c.Name)
	if c.Method || len(c.Args) > 0 {
		f.put("(")
		f.queries("; ", c.Args)
		f.put(")")
	}
}

func (f *formatter) object(o *Object) {
	f.put("{")
	f.list(len(o.KeyVals), ", ", func(i int) {
		kv := o.KeyVals[i]
		f.key(kv.Key, kv.KeyString, kv.KeyQuery)
		if kv.Val != nil {
			f.put(": ")
			f.query(kv.Val)
		}
	})
	f.put("}")
}

// control writes a term that starts with a keyword.
func (f *formatter) control(t *Term) {
	switch t.Type {
	case TermIf:
		f.conditional(t.If)
	case TermTry:
		f.put("try ")
		f.query(t.Try.Body)
		if t.Try.Catch != nil {
			f.put(" catch ")
			f.query(t.Try.Catch)
		}
	case TermReduce:
		f.put("reduce ")
		f.fold(t.Reduce.Query, t.Reduce.Patterns, t.Reduce.Start, t.Reduce.Update)
	case TermForeach:
		f.put("foreach ")
		e := t.Foreach
		if e.Extract == nil {
			f.fold(e.Query, e.Patterns, e.Start, e.Update)
		} else {
			f.fold(e.Query, e.Patterns, e.Start, e.Update, e.Extract)
		}
	case TermLabel:
		f.put("label ", t.Label.Ident, " | ")
		f.query(t.Label.Body)
	case TermBreak:
		f.put("break ", t.Break)
	}
}

func (f *formatter) conditional(e *If) {
	f.put("if ")
	f.query(e.Cond)
	f.put(" then ")
	f.query(e.Then)
	for _, branch := range e.Elif {
		f.put(" elif ")
		f.query(branch.Cond)
		f.put(" then ")
		f.query(branch.Then)
	}
	if e.Else != nil {
		f.put(" else ")
		f.query(e.Else)
	}
	f.put(" end")
}

func (f *formatter) fold(source *Query, patterns []*Pattern, body ...*Query) {
	f.query(source)
	f.bindings(patterns)
	f.put(" (")
	f.queries("; ", body)
	f.put(")")
}
