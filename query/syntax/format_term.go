package syntax

import "slices"

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
			f.put(" .") // .[0] would be an index of its own
		} else if i == 0 && s.Index != nil && s.Index.named() {
			f.apart(&Term{Type: t.Type})
		}
		f.suffix(s)
	}
}

// methodCall gives X and f of (X | f), when that can be written X.f().
func (t *Term) methodCall() (receiver, call *Term) {
	q := t.Query
	if t.Type != TermQuery || q.Op != OpPipe || q.Patterns != nil || q.FuncDefs != nil || q.Left.Term == nil || q.Right.Term == nil {
		return nil, nil
	}
	receiver, call = q.Left.Term, q.Right.Term
	switch receiver.Type {
	case TermUnary, TermTry, TermLabel, TermBreak: // what stands behind them belongs to what is in them
		return nil, nil
	}
	if call.Type != TermFunc || !call.Func.Method || q.Left.FuncDefs != nil || q.Right.FuncDefs != nil ||
		slices.ContainsFunc(call.SuffixList, func(s *Suffix) bool { return !s.Optional }) {
		return nil, nil
	}
	return receiver, call
}

// apart writes a space where a dot would make another token of what is there.
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

// named tells .name and ."name" from [...].
func (x *Index) named() bool { return x.Name != "" || x.Str != nil }

// index writes an index without the dot in front.
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

// control writes the terms that begin with a keyword.
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
