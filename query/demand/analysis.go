package demand

import (
	"strings"

	"github.com/meshq/kubectl-meshq/query/syntax"
)

// Options contains the input of the analysis, in addition to the query itself.
type Options struct {
	// Library contains the programs whose definitions the query may call. The evaluator
	// must receive the same programs.
	Library []*syntax.Program

	// Natives contains a definition in jq for each function that is written in Go. The
	// analysis assumes that the Go function reads the same parts of its input as this
	// definition. These definitions take precedence over library definitions with the
	// same name.
	Natives *syntax.Program

	// Results describes which parts the caller reads of each result; nil means
	// everything.
	Results *Tree
}

// Of returns the parts of its input that the query p reads.
func Of(p *syntax.Program, o Options) *Tree {
	a := &analysis{known: map[string]*syntax.FuncDef{}, rows: rows(), active: map[*syntax.FuncDef]int{}}
	a.add(builtins())
	for _, l := range o.Library {
		a.add(l)
	}
	if o.Natives != nil {
		a.add(o.Natives)
	}
	results := o.Results
	if results == nil {
		results = everything()
	}
	t := a.query(p.Query, results, nil)
	if a.steps > mostSteps {
		return everything()
	}
	return t
}

// mostSteps is the maximum number of steps of an analysis. If a query needs more steps,
// the analysis ends and assumes that the query reads everything.
const mostSteps = 20_000

// analysis determines, from the end of a query to its beginning, which parts of the input
// are read. Each of its methods analyzes one kind of expression: it receives the parts of
// the expression's results that are read (want), and returns the parts of the input that
// the expression reads.
type analysis struct {
	known  map[string]*syntax.FuncDef // definitions of the builtins and of the library, by "name/arity"
	rows   map[string]row
	active map[*syntax.FuncDef]int // for each definition, how many nested calls of it are being analyzed
	steps  int
}

func (a *analysis) add(p *syntax.Program) {
	for _, d := range p.Query.FuncDefs {
		a.known[syntax.Key(d.Name, len(d.Args))] = d
	}
}

// query analyzes a query: it returns the parts of the input that the query reads if the
// parts want of its results are read. For a nil query it returns nil, which means
// nothing.
func (a *analysis) query(q *syntax.Query, want *Tree, s *scope) *Tree {
	if q == nil {
		return nil
	}
	if a.steps++; a.steps > mostSteps {
		return everything()
	}
	for _, d := range q.FuncDefs {
		s = &scope{up: s, name: syntax.Key(d.Name, len(d.Args)), def: d}
	}
	if q.Term != nil {
		return a.term(q.Term, want, s)
	}
	return a.operator(q, want, s)
}

func (a *analysis) operator(q *syntax.Query, want *Tree, s *scope) *Tree {
	both := func(l, r *Tree) *Tree { return Join(a.query(q.Left, l, s), a.query(q.Right, r, s)) }
	switch q.Op {
	case syntax.OpPipe:
		if len(q.Patterns) == 0 {
			return a.query(q.Left, a.query(q.Right, want, s), s)
		}
		in, bound := a.bind(q.Patterns, s, a.textOf(q.Left, s))
		right := a.query(q.Right, want, in)
		keys := a.keys(q.Patterns, in)
		return Join(right, keys, a.query(q.Left, bound(), s))
	case syntax.OpComma:
		return both(want, want)
	case syntax.OpAlt:
		return both(Join(want, presence()), want)
	case syntax.OpAnd, syntax.OpOr:
		return both(presence(), presence())
	case syntax.OpEq, syntax.OpNe, syntax.OpLt, syntax.OpLe, syntax.OpGt, syntax.OpGe:
		if isScalar(q.Left) || isScalar(q.Right) {
			return both(presence(), presence())
		}
		return both(everything(), everything())
	case syntax.OpAdd: // a part of a sum of arrays or objects is a part of one of the operands
		t := Join(want, presence())
		return both(t, t)
	case syntax.OpSub, syntax.OpMul, syntax.OpDiv, syntax.OpMod:
		return both(everything(), everything())
	case syntax.OpModify:
		return Join(want, a.query(q.Left, a.query(q.Right, everything(), s), s))
	case 0:
		return nil
	}
	return Join(want, both(everything(), everything())) // the remaining operators update a path, such as |=
}

// isScalar reports whether a query is a literal scalar. If an array or object is compared
// with a scalar, only its type is read.
func isScalar(q *syntax.Query) bool {
	t := q.Term
	if t == nil || len(t.SuffixList) > 0 || len(q.FuncDefs) > 0 {
		return false
	}
	switch t.Type {
	case syntax.TermNull, syntax.TermTrue, syntax.TermFalse, syntax.TermNumber, syntax.TermString:
		return true
	}
	return false
}

func (a *analysis) term(t *syntax.Term, want *Tree, s *scope) *Tree {
	var beside *Tree // the parts of the whole term's input that the expressions in brackets read
	for i := len(t.SuffixList) - 1; i >= 0; i-- {
		switch x := t.SuffixList[i]; {
		case x.Iter:
			want = each(want)
		case x.Index != nil:
			of, more := a.index(x.Index, want, s)
			want, beside = of, Join(beside, more)
		}
	}
	return Join(a.primary(t, want, s), beside)
}

// index analyzes an index expression x[f]. The first result describes the parts of x that
// the expression reads. The second result describes the parts that f reads of its own
// input, which is the input of the whole term.
func (a *analysis) index(x *syntax.Index, want *Tree, s *scope) (of, beside *Tree) {
	switch {
	case x.Name != "":
		return field(x.Name, want), nil
	case x.Str != nil && x.Str.Queries == nil:
		return field(x.Str.Str, want), nil
	case x.Str != nil:
		return each(want), a.parts(x.Str, s)
	case x.IsSlice:
		return want.counted(), Join(a.query(x.Start, everything(), s), a.query(x.End, everything(), s))
	}
	if text := a.textOf(x.Start, s); text != nil {
		return field(*text, want), a.query(x.Start, presence(), s)
	}
	beside = a.query(x.Start, everything(), s)
	if isNumber(x.Start) {
		return items(want), beside
	}
	return each(want), beside
}

func isNumber(q *syntax.Query) bool {
	t := q.Term
	return t != nil && (t.Type == syntax.TermNumber || t.Type == syntax.TermUnary) && len(t.SuffixList) == 0
}

// parts analyzes a string with interpolations. It assumes that the interpolated values
// are read completely.
func (a *analysis) parts(x *syntax.String, s *scope) (sum *Tree) {
	if x == nil {
		return nil
	}
	for _, q := range x.Queries {
		sum = Join(sum, a.query(q, everything(), s))
	}
	return sum
}

func (a *analysis) primary(t *syntax.Term, want *Tree, s *scope) *Tree {
	switch t.Type {
	case syntax.TermIdentity:
		return want
	case syntax.TermNull, syntax.TermTrue, syntax.TermFalse, syntax.TermNumber, syntax.TermBreak:
		return nil
	case syntax.TermIndex:
		of, beside := a.index(t.Index, want, s)
		return Join(of, beside)
	case syntax.TermFunc:
		return a.call(t.Func, want, s)
	case syntax.TermObject:
		return a.object(t.Object, want, s)
	case syntax.TermArray:
		return a.query(t.Array.Query, want.Item(), s)
	case syntax.TermString:
		return a.parts(t.Str, s)
	case syntax.TermFormat:
		if t.Str != nil {
			return a.parts(t.Str, s)
		}
	case syntax.TermUnary:
		return a.term(t.Unary.Term, presence(), s)
	case syntax.TermQuery:
		return a.query(t.Query, want, s)
	}
	return a.control(t, want, s)
}

// object analyzes an object construction. Each member's expression is analyzed with the
// parts of that member that are read. If the member isn't read, only the existence of its
// value matters.
func (a *analysis) object(o *syntax.Object, want *Tree, s *scope) (sum *Tree) {
	for _, kv := range o.KeyVals {
		name := kv.Key
		if kv.KeyString != nil && kv.KeyString.Queries == nil {
			name = kv.KeyString.Str
		}
		of := want.part()
		if name != "" {
			of = want.Field(strings.TrimPrefix(name, "$"))
		}
		switch {
		case kv.Val != nil:
			sum = Join(sum, a.query(kv.Val, of, s))
		case name == "":
			return everything()
		case name[0] == '$':
			s.use(name, of)
		default:
			sum = Join(sum, field(name, of))
		}
		sum = Join(sum, a.parts(kv.KeyString, s), a.query(kv.KeyQuery, everything(), s))
	}
	return sum
}

func (a *analysis) control(t *syntax.Term, want *Tree, s *scope) *Tree {
	switch t.Type {
	case syntax.TermIf:
		return a.choice(t.If, want, s)
	case syntax.TermTry:
		// the handler's input is an error message, so it reads the document only through
		// variables
		a.query(t.Try.Catch, want, s)
		return a.query(t.Try.Body, Join(want, presence()), s)
	case syntax.TermLabel:
		return a.query(t.Label.Body, want, s)
	case syntax.TermReduce:
		x := t.Reduce
		return a.fold(x.Query, x.Patterns, x.Start, x.Update, nil, nil, s)
	case syntax.TermForeach:
		x := t.Foreach
		return a.fold(x.Query, x.Patterns, x.Start, x.Update, x.Extract, want, s)
	}
	return everything()
}

// fold analyzes a reduce or foreach. It assumes that the state is read completely,
// because each step passes the state on to the next step. The source's elements are read
// only as far as the patterns and the steps read them.
func (a *analysis) fold(source *syntax.Query, patterns []*syntax.Pattern, start, update, extract *syntax.Query, want *Tree, s *scope) *Tree {
	in, bound := a.bind(patterns, s, nil)
	a.query(update, everything(), in)
	a.query(extract, want, in)
	keys := a.keys(patterns, in)
	return Join(keys, a.query(start, everything(), s), a.query(source, bound(), s))
}

// choice analyzes a conditional. If the condition tests the type of the input, each
// branch reads only values of the type for which it is chosen.
func (a *analysis) choice(x *syntax.If, want *Tree, s *scope) *Tree {
	then := a.query(x.Then, want, s)
	var others *Tree
	switch {
	case len(x.Elif) > 0:
		others = a.choice(&syntax.If{Cond: x.Elif[0].Cond, Then: x.Elif[0].Then, Elif: x.Elif[1:], Else: x.Else}, want, s)
	case x.Else != nil:
		others = a.query(x.Else, want, s)
	default:
		others = want
	}
	switch kind, only := typeAsked(x.Cond); kind {
	case "array":
		then = then.ofArray()
		if only {
			others = others.ofObject()
		}
	case "object":
		then = then.ofObject()
		if only {
			others = others.ofArray()
		}
	}
	return Join(a.query(x.Cond, presence(), s), then, others)
}

// typeAsked recognizes a condition such as type == "array", alone or as the left side of
// an "and". It returns the type's name. only is true if the condition stands alone.
func typeAsked(q *syntax.Query) (kind string, only bool) {
	if q.Op == syntax.OpAnd && len(q.FuncDefs) == 0 {
		kind, _ = typeAsked(q.Left)
		return kind, false
	}
	if q.Op != syntax.OpEq || q.Left.Term == nil || q.Right.Term == nil || q.Left.Term.Func == nil || q.Right.Term.Str == nil {
		return "", false
	}
	if f := q.Left.Term.Func; f.Name != "type" || len(f.Args) > 0 {
		return "", false
	}
	return q.Right.Term.Str.Str, true
}
