package syntax

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/itchyny/gojq"
	"go.yaml.in/yaml/v3"
)

// The tests of this package compare it with gojq's parser and compiler. They read gojq's
// test data from the Go module cache.

var gojqDir = sync.OnceValue(func() string {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/itchyny/gojq").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
})

// gojqSources returns queries without duplicates: all strings that are arguments in
// gojq's test.yaml, gojq's builtin definitions, and its test modules.
var gojqSources = sync.OnceValues(func() ([]string, error) {
	bs, err := os.ReadFile(filepath.Join(gojqDir(), "cli", "test.yaml"))
	if err != nil {
		return nil, err
	}
	var cases []struct{ Args []string }
	if err := yaml.Unmarshal(bs, &cases); err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	var sources []string
	add := func(s string) {
		if !seen[s] {
			seen[s] = true
			sources = append(sources, s)
		}
	}
	for _, c := range cases {
		for _, arg := range c.Args {
			add(arg)
		}
	}
	files, err := filepath.Glob(filepath.Join(gojqDir(), "cli", "testdata", "*.jq"))
	if err != nil {
		return nil, err
	}
	for _, f := range append(files, filepath.Join(gojqDir(), "builtin.jq")) {
		bs, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		add(string(bs))
	}
	return sources, nil
})

func sources(t testing.TB) []string {
	t.Helper()
	list, err := gojqSources()
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 800 {
		t.Fatalf("gojq's tests have shrunk to %d sources", len(list))
	}
	return list
}

func mapped[A, B any](list []A, f func(A) B) []B {
	if list == nil {
		return nil
	}
	out := make([]B, len(list))
	for i, a := range list {
		out[i] = f(a)
	}
	return out
}

// converted converts a syntax tree to the types of gojq.
func converted(q *Query) *gojq.Query {
	if q == nil {
		return nil
	}
	return &gojq.Query{
		Meta: toConstObject(q.Meta), Imports: mapped(q.Imports, toImport), FuncDefs: mapped(q.FuncDefs, toFuncDef),
		Term: toTerm(q.Term), Left: converted(q.Left), Right: converted(q.Right),
		Patterns: mapped(q.Patterns, toPattern), Op: toOperator(q.Op),
	}
}

// toOperator converts an operator by its text, because the two packages may number the
// operators differently.
func toOperator(op Operator) gojq.Operator {
	if op == 0 {
		return 0
	}
	for g := gojq.OpPipe; g <= gojq.OpUpdateAlt; g++ {
		if g.String() == op.String() {
			return g
		}
	}
	panic("gojq has no operator " + op.String())
}

func toImport(im *Import) *gojq.Import {
	return &gojq.Import{ImportPath: im.ImportPath, ImportAlias: im.ImportAlias, IncludePath: im.IncludePath, Meta: toConstObject(im.Meta)}
}

func toFuncDef(fd *FuncDef) *gojq.FuncDef {
	return &gojq.FuncDef{Name: fd.Name, Args: fd.Args, Body: converted(fd.Body)}
}

func toTermType(t TermType) gojq.TermType {
	return map[TermType]gojq.TermType{
		TermIdentity: gojq.TermTypeIdentity, TermRecurse: gojq.TermTypeRecurse, TermNull: gojq.TermTypeNull,
		TermTrue: gojq.TermTypeTrue, TermFalse: gojq.TermTypeFalse, TermIndex: gojq.TermTypeIndex,
		TermFunc: gojq.TermTypeFunc, TermObject: gojq.TermTypeObject, TermArray: gojq.TermTypeArray,
		TermNumber: gojq.TermTypeNumber, TermUnary: gojq.TermTypeUnary, TermFormat: gojq.TermTypeFormat,
		TermString: gojq.TermTypeString, TermIf: gojq.TermTypeIf, TermTry: gojq.TermTypeTry,
		TermReduce: gojq.TermTypeReduce, TermForeach: gojq.TermTypeForeach, TermLabel: gojq.TermTypeLabel,
		TermBreak: gojq.TermTypeBreak, TermQuery: gojq.TermTypeQuery,
	}[t]
}

func toTerm(t *Term) *gojq.Term {
	if t == nil {
		return nil
	}
	g := &gojq.Term{
		Type: toTermType(t.Type), Index: toIndex(t.Index), Number: t.Number, Format: t.Format, Str: toString(t.Str),
		Break: t.Break, Query: converted(t.Query),
		SuffixList: mapped(t.SuffixList, func(s *Suffix) *gojq.Suffix {
			return &gojq.Suffix{Index: toIndex(s.Index), Iter: s.Iter, Optional: s.Optional}
		}),
	}
	if t.Func != nil {
		g.Func = &gojq.Func{Name: t.Func.Name, Args: mapped(t.Func.Args, converted)}
	}
	if t.Object != nil {
		g.Object = &gojq.Object{KeyVals: mapped(t.Object.KeyVals, func(kv *ObjectKeyVal) *gojq.ObjectKeyVal {
			return &gojq.ObjectKeyVal{Key: kv.Key, KeyString: toString(kv.KeyString), KeyQuery: converted(kv.KeyQuery), Val: converted(kv.Val)}
		})}
	}
	if t.Array != nil {
		g.Array = &gojq.Array{Query: converted(t.Array.Query)}
	}
	if t.Unary != nil {
		g.Unary = &gojq.Unary{Op: toOperator(t.Unary.Op), Term: toTerm(t.Unary.Term)}
	}
	if t.If != nil {
		g.If = &gojq.If{Cond: converted(t.If.Cond), Then: converted(t.If.Then), Else: converted(t.If.Else),
			Elif: mapped(t.If.Elif, func(e *IfElif) *gojq.IfElif {
				return &gojq.IfElif{Cond: converted(e.Cond), Then: converted(e.Then)}
			})}
	}
	if t.Try != nil {
		g.Try = &gojq.Try{Body: converted(t.Try.Body), Catch: converted(t.Try.Catch)}
	}
	if e := t.Reduce; e != nil {
		g.Reduce = &gojq.Reduce{Query: converted(e.Query), Patterns: mapped(e.Patterns, toPattern), Start: converted(e.Start), Update: converted(e.Update)}
	}
	if e := t.Foreach; e != nil {
		g.Foreach = &gojq.Foreach{Query: converted(e.Query), Patterns: mapped(e.Patterns, toPattern), Start: converted(e.Start),
			Update: converted(e.Update), Extract: converted(e.Extract)}
	}
	if t.Label != nil {
		g.Label = &gojq.Label{Ident: t.Label.Ident, Body: converted(t.Label.Body)}
	}
	return g
}

func toIndex(x *Index) *gojq.Index {
	if x == nil {
		return nil
	}
	return &gojq.Index{Name: x.Name, Str: toString(x.Str), Start: converted(x.Start), End: converted(x.End), IsSlice: x.IsSlice}
}

func toString(s *String) *gojq.String {
	if s == nil {
		return nil
	}
	return &gojq.String{Str: s.Str, Queries: mapped(s.Queries, converted)}
}

func toPattern(p *Pattern) *gojq.Pattern {
	if p == nil {
		return nil
	}
	return &gojq.Pattern{Name: p.Name, Array: mapped(p.Array, toPattern),
		Object: mapped(p.Object, func(o *PatternObject) *gojq.PatternObject {
			return &gojq.PatternObject{Key: o.Key, KeyString: toString(o.KeyString), KeyQuery: converted(o.KeyQuery), Val: toPattern(o.Val)}
		})}
}

func toConstObject(o *ConstObject) *gojq.ConstObject {
	if o == nil {
		return nil
	}
	return &gojq.ConstObject{KeyVals: mapped(o.KeyVals, func(kv *ConstObjectKeyVal) *gojq.ConstObjectKeyVal {
		return &gojq.ConstObjectKeyVal{Key: kv.Key, KeyString: kv.KeyString, Val: toConstTerm(kv.Val)}
	})}
}

func toConstTerm(t *ConstTerm) *gojq.ConstTerm {
	g := &gojq.ConstTerm{Object: toConstObject(t.Object), Number: t.Number, Str: t.Str, Null: t.Null, True: t.True, False: t.False}
	if t.Array != nil {
		g.Array = &gojq.ConstArray{Elems: mapped(t.Array.Elems, toConstTerm)}
	}
	return g
}
