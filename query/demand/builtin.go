package demand

import (
	_ "embed"
	"strings"

	"github.com/meshq/kubectl-meshq/query/syntax"
)

//go:embed builtin.jq
var definitions string

// builtins returns a jq definition for many of the builtins. Each definition reads the
// same parts of its input as the builtin does.
func builtins() *syntax.Program {
	p, err := syntax.Parse("builtin.jq", definitions)
	if err != nil {
		return &syntax.Program{Query: &syntax.Query{}} // can't happen, because a test parses the definitions
	}
	return p
}

// A row analyzes a call of one builtin: it returns the parts of the input that the call
// reads if the parts want of its results are read.
type row func(a *analysis, f *syntax.Func, want *Tree, s *scope) *Tree

// ofScalars lists the builtins that read a scalar input completely, but of an array or
// object only the type.
const ofScalars = `not/0 type/0 ascii_downcase/0 ascii_upcase/0 test/1 test/2 match/1 match/2 capture/1 capture/2 scan/1 scan/2 splits/1 splits/2
	split/1 split/2 sub/2 sub/3 gsub/2 gsub/3 startswith/1 endswith/1 ltrimstr/1 rtrimstr/1 trimstr/1 trim/0 ltrim/0 rtrim/0
	tonumber/0 toboolean/0 explode/0 utf8bytelength/0 fromjson/0 floor/0 ceil/0 round/0 sqrt/0 fabs/0 trunc/0 pow/2 log/0 exp/0
	isnan/0 isinfinite/0 isnormal/0
	fromdate/0 fromdateiso8601/0 strptime/1`

// ofNothing lists the builtins that don't read their input.
const ofNothing = `empty/0 now/0 input/0 inputs/0 env/0 builtins/0 input_filename/0 input_line_number/0 halt/0 infinite/0 nan/0
	range/1 range/2 range/3 error/1`

// rows returns the analysis of each builtin that has no definition in builtin.jq. A
// builtin that is in neither of the two is assumed to read everything.
func rows() map[string]row {
	all := map[string]row{
		"length/0": func(_ *analysis, _ *syntax.Func, _ *Tree, _ *scope) *Tree { return &Tree{Count: true} },
		"keys/0":   func(_ *analysis, _ *syntax.Func, _ *Tree, _ *scope) *Tree { return &Tree{Count: true} },
		"has/1": func(a *analysis, f *syntax.Func, _ *Tree, s *scope) *Tree {
			return Join(&Tree{Count: true}, a.arguments(f, everything(), s))
		},
		"arrays/0": func(_ *analysis, _ *syntax.Func, want *Tree, _ *scope) *Tree { return Join(want, presence()).ofArray() },
		"objects/0": func(_ *analysis, _ *syntax.Func, want *Tree, _ *scope) *Tree {
			return Join(want, presence()).ofObject()
		},
		"reverse/0": func(_ *analysis, _ *syntax.Func, want *Tree, _ *scope) *Tree { return want.counted() },
		"add/0": func(_ *analysis, _ *syntax.Func, want *Tree, _ *scope) *Tree {
			return each(Join(want, presence()))
		},
		"add/1": func(a *analysis, f *syntax.Func, want *Tree, s *scope) *Tree {
			return a.query(f.Args[0], Join(want, presence()), s)
		},
		"path/1": func(a *analysis, f *syntax.Func, _ *Tree, s *scope) *Tree { return a.query(f.Args[0], presence(), s) },
		"del/1": func(a *analysis, f *syntax.Func, want *Tree, s *scope) *Tree {
			return Join(want, a.query(f.Args[0], presence(), s))
		},
		"pick/1":      func(a *analysis, f *syntax.Func, _ *Tree, s *scope) *Tree { return a.query(f.Args[0], everything(), s) },
		"limit/2":     counting,
		"skip/2":      counting,
		"nth/2":       counting,
		"sort_by/1":   func(a *analysis, f *syntax.Func, want *Tree, s *scope) *Tree { return Join(want, a.sorting(f, s)) },
		"unique_by/1": func(a *analysis, f *syntax.Func, want *Tree, s *scope) *Tree { return Join(want, a.sorting(f, s)) },
		"group_by/1": func(a *analysis, f *syntax.Func, want *Tree, s *scope) *Tree {
			return Join(items(want.Item().Item()), a.sorting(f, s))
		},
		"min_by/1": oneOf, "max_by/1": oneOf,
		"join/1": func(a *analysis, f *syntax.Func, _ *Tree, s *scope) *Tree {
			return Join(each(presence()), a.arguments(f, everything(), s))
		},
		"to_entries/0": func(_ *analysis, _ *syntax.Func, want *Tree, _ *scope) *Tree { return each(want.Item().Field("value")) },
		"from_entries/0": func(_ *analysis, _ *syntax.Func, want *Tree, _ *scope) *Tree {
			entry := field("value", Join(want.part(), presence()))
			for _, k := range []string{"key", "Key", "name", "Name", "Value"} {
				entry = Join(entry, field(k, everything()))
			}
			return each(entry)
		},
		"INDEX/2": func(a *analysis, f *syntax.Func, want *Tree, s *scope) *Tree {
			return a.query(f.Args[0], Join(want.part(), a.query(f.Args[1], everything(), s)), s)
		},
		"getpath/1": getPath,
		"debug/0":   func(*analysis, *syntax.Func, *Tree, *scope) *Tree { return everything() },
	}
	for k := range strings.FieldsSeq(ofScalars) {
		all[k] = func(a *analysis, f *syntax.Func, want *Tree, s *scope) *Tree {
			return Join(presence(), a.arguments(f, everything(), s))
		}
	}
	for k := range strings.FieldsSeq(ofNothing) {
		all[k] = func(a *analysis, f *syntax.Func, want *Tree, s *scope) *Tree { return a.arguments(f, everything(), s) }
	}
	return all
}

// counting analyzes builtins such as limit, whose arguments are a number and a generator
// that may be stopped early.
func counting(a *analysis, f *syntax.Func, want *Tree, s *scope) *Tree {
	return Join(a.query(f.Args[0], everything(), s), a.query(f.Args[1], want, s))
}

// sorting analyzes a builtin that orders elements by a key, such as sort_by.
func (a *analysis) sorting(f *syntax.Func, s *scope) *Tree {
	return items(a.query(f.Args[0], everything(), s))
}

// oneOf analyzes a builtin that returns one of the elements, such as first or min_by.
func oneOf(a *analysis, f *syntax.Func, want *Tree, s *scope) *Tree {
	return Join(items(want), a.sorting(f, s))
}

// getPath analyzes a call of the builtin getpath with a literal path.
func getPath(a *analysis, f *syntax.Func, want *Tree, s *scope) *Tree {
	t := f.Args[0].Term
	if t == nil || t.Type != syntax.TermArray || len(t.SuffixList) > 0 || t.Array.Query == nil {
		return Join(everything(), a.arguments(f, everything(), s))
	}
	var steps []*syntax.Query
	for q := t.Array.Query; q != nil; q = q.Left {
		if q.Op != syntax.OpComma {
			steps = append(steps, q)
			break
		}
		steps = append(steps, q.Right)
	}
	for _, q := range steps { // the list steps is in reverse order
		if text := a.textOf(q, s); text != nil {
			want = field(*text, want)
		} else {
			want = each(want)
		}
	}
	return Join(want, a.arguments(f, everything(), s))
}
