package eval

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/itchyny/gojq"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// samples are the input values with which functions are called. They include unusual
// values of all types.
const samples = `null, false, true, 0, 1, -1, 2.5, -0.5, 3e10, 12345678901234567890, 1e1000, nan, "", "a", "abc", "a,b, c", "12", "-7.50", "nan", "A\u00e9\u03c9\ud83d\ude04",
	"<&'\">", "%41+b", "YWJj", "2015-03-05T23:51:47Z", "true", [], [0], [1, 2, 3], [3, 1, 2, 1], ["a", "b", null], [[1, 2], [3]], [null], [[]], [{"a": 1}, {"a": 0}],
	[1425599621, 2, 3], [2015, 2, 5, 23, 51, 47, 4, 63], [65, 66], [{"key": "k", "value": 1}, {"name": "n"}, {"Key": "K", "Value": null}], [["a", "g"]], ["a", "b"], [[0], 1],
	{}, {"a": 1}, {"a": {"b": [1, null]}, "c": "x"}, {"start": 1, "end": 2}, {"key": "v"}`

// argumentSamples are the arguments with which functions with one argument are called.
const argumentSamples = `null, true, 0, 1, -1, 2.5, "", "a", "b", ", ", "g", "[a-c]", "(?<x>a)", "%Y-%m-%d", "csv", "sh", [], [0], ["a"], ["a", "b"], [[0]], [["a"]], ["a", "gi"], {}, {"a": 1}`

// fewSamples and fewArguments are the inputs and arguments for functions with several
// arguments. There are fewer of them, because all combinations are tried.
const (
	fewSamples   = `null, 2.5, "", "abc", "a,b, c", "2015-03-05", [], [1, "a", null], [[1, 2], [3]], [{"a": 1}], {}, {"a": {"b": 1}}`
	fewArguments = `null, 0, 2.5, "", "a", "(?<x>a)", "a|", [], ["a"], [["a"]], {}, {"a": 1}`
)

// otherwise lists functions that can't be compared with gojq's. Their results depend on
// more than their input and arguments, or they may not terminate.
var otherwise = []string{
	"input/0", "inputs/0", "debug/0", "debug/1", "stderr/0", "halt/0", "halt_error/0", "halt_error/1", "now/0", "env/0", "builtins/0", "input_filename/0", "modulemeta/0", "localtime/0", "strflocaltime/1", "until/2",
}

// ofJqsOwn lists functions whose results are those of jq and therefore differ from
// gojq's.
var ofJqsOwn = []string{
	"transpose/0", "tonumber/0", "fromjson/0", "truncate_stream/1", "reverse/0", "index/1", "rindex/1", "indices/1", "range/3", "nth/1", "first/0", "last/0", "gamma/0", "getpath/1", "flatten/1", "JOIN/2", "JOIN/3", "JOIN/4",
}

// TestBuiltins compares every function with gojq's, for all samples. The results must be
// equal, and both must fail for the same inputs. The texts of the errors are not
// compared, because the evaluator's are those of jq.
func TestBuiltins(t *testing.T) {
	calls := new(atomic.Int64)
	t.Run("all", func(t *testing.T) {
		for _, k := range gojqBuiltins(t) {
			if !slices.Contains(otherwise, k) && !slices.Contains(ofJqsOwn, k) {
				t.Run(strings.ReplaceAll(k, "/", "-"), func(t *testing.T) {
					t.Parallel()
					calls.Add(int64(compareBuiltin(t, k)))
				})
			}
		}
	})
	t.Logf("%d calls of %d functions", calls.Load(), len(gojqBuiltins(t))-len(otherwise))
}

// compareBuiltin compares one function with gojq's, and returns how often it was called.
func compareBuiltin(t *testing.T, k string) (calls int) {
	t.Helper()
	name, arity, _ := strings.Cut(k, "/")
	inputs, call, loops, shown := samples, name, "", "$in"
	switch arity {
	case "1":
		call, loops, shown = name+"($a)", "("+argumentSamples+") as $a | ", "$in, $a"
	case "2":
		inputs, call, shown = fewSamples, name+"($a; $b)", "$in, $a, $b"
		loops = "(" + fewArguments + ") as $a | (null, 1, \"a\", \"gi\", \"y\", [0], {\"a\": 2}) as $b | "
	case "3":
		inputs, call, shown = fewSamples, name+"($a; $b; $c)", "$in, $a, $b, $c"
		loops = "(null, 1, \"a\", [[1]]) as $a | (null, 3, \"\\(.)\", [0], {\"a\": 2}) as $b | (null, 1, \"g\", {}) as $c | "
	case "4":
		inputs, call, shown = fewSamples, name+"($a; $b; $c; .)", "$in, $a, $b, $c"
		loops = "({}, {\"a\": 3}) as $a | (null, {\"a\": 1}) as $b | (null, \"a\") as $c | "
	}
	query := fmt.Sprintf(`[.[] | . as $in | %s[%s, try [limit(9; %s)] catch ["error"]]]`, loops, shown, call)
	ctx, cancel := context.WithTimeout(context.Background(), runaway)
	tc := gojqCase{query: query, inputs: []any{valueOf(inputs)}}
	want, got, lazy := elements(byGojq(ctx, tc)), elements(byUs(ctx, tc, asItIs)), elements(byUs(ctx, tc, lazily))
	if ctx.Err() != nil {
		t.Errorf("%s: %v", k, ctx.Err())
	}
	cancel()
	for i := range max(len(want.lines), len(got.lines)) {
		if want.line(i) != got.line(i) {
			t.Errorf("%s:\n got  %s\n want %s", k, got.line(i), want.line(i))
			break
		}
	}
	byChance := k == "path/1" || k == "del/1" || k == "pick/1" // gojq accepts a computed value as a path if it happens to equal the input
	if !byChance && !lazy.alike(got) {
		t.Errorf("%s: of what is lazy it gives something else", k)
	}
	return len(want.lines)
}

// gojqBuiltins returns the names of gojq's functions, as "name/arity".
func gojqBuiltins(t *testing.T) (keys []string) {
	t.Helper()
	q, err := gojq.Parse("builtins")
	if err != nil {
		t.Fatal(err)
	}
	v, _ := q.Run(nil).Next()
	for _, k := range v.([]any) {
		keys = append(keys, k.(string))
	}
	slices.Sort(keys)
	return keys
}

// valueOf evaluates a list of jq constants, separated by commas, and returns them as
// an array.
func valueOf(constants string) any {
	q, err := gojq.Parse("[" + constants + "]")
	if err != nil {
		panic(err)
	}
	v, _ := q.Run(nil).Next()
	return object.FromPlain(v)
}

// elements converts a result that is a single array into one result for each element.
func elements(r *results) *results {
	var all []json.RawMessage
	if len(r.lines) != 1 || object.Unmarshal([]byte(r.lines[0]), &all) != nil {
		return r
	}
	out := &results{}
	for _, x := range all {
		out.lines = append(out.lines, string(x))
	}
	return out
}

func (r *results) line(i int) string {
	if i < len(r.lines) {
		return r.lines[i]
	}
	return "nothing"
}

// TestBuiltinsAreKnown fails if gojq has a function that the evaluator lacks.
func TestBuiltinsAreKnown(t *testing.T) {
	ours := Builtins()
	for _, k := range gojqBuiltins(t) {
		if !slices.Contains(ours, k) {
			t.Errorf("%s is missing", k)
		}
	}
	for _, k := range ours {
		name, arity, _ := strings.Cut(k, "/")
		call := name
		if n := int(arity[0] - '0'); n > 0 {
			call += "(" + strings.Repeat("1; ", n-1) + "1)"
		}
		mustCompile(t, call, Options{})
	}
}

// added lists queries with functions and flags that jq 1.8 supports and gojq doesn't,
// with the results of jq 1.8.2.
var added = []struct{ query, want string }{
	{`{"b": 1, "a": 2} | keys_unsorted`, `["b","a"]`},
	{`{"b": 1, "a": 2} | keys, (to_entries | map(.key)), [.[]], [tostream], tojson, (walk(.) | tojson)`, `["a","b"] ["b","a"] [1,2] [[["b"],1],[["a"],2],[["a"]]] "{\"b\":1,\"a\":2}" "{\"b\":1,\"a\":2}"`},
	{`{"b": 1, "a": 2, "b": 3}, ({"b": 1, "a": 2} | ., del(.b) + {"b": 4}) | tojson`, `"{\"b\":3,\"a\":2}" "{\"b\":1,\"a\":2}" "{\"a\":2,\"b\":4}"`},
	{`{"b": 1, "a": {"z": 1}} * {"c": 0, "a": {"y": 2}} | tojson, @html`, `"{\"b\":1,\"a\":{\"z\":1,\"y\":2},\"c\":0}" "{&quot;b&quot;:1,&quot;a&quot;:{&quot;z&quot;:1,&quot;y&quot;:2},&quot;c&quot;:0}"`},
	{`have_literal_numbers`, `true`},
	{`have_decnum`, `true`},
	{`input_line_number`, `0`},
	{`get_search_list`, `[]`},
	{`5 | lgamma_r`, `[3.1780538303479458,1]`},
	{`-0.5 | lgamma_r[1]`, `-1`},
	{`$__loc__`, `{"file":"<top-level>","line":1}`},
	{`1 | stderr`, `1`},
	{`1 | debug`, `1`},
	{`input_filename`, `null`},
	{`"test" | test("T E # a comment"; "xi")`, `true`},
	{`[match("a b"; "x")]?`, `[]`},
	{`"a b" | [match("a\\ b"; "x").string]`, `["a b"]`},
	{`"a b]c" | [match("[ b]+"; "x").string]`, `[" b"]`},
	{`"aXbxc" | [match("x*"; "gin").offset]`, `[1,3]`},
	{`"abab" | [match("a|ab"; "gl").string]`, `["ab","ab"]`},
	{`"a\nb" | test("a.b"; "s"), test("a.b"; "p")`, `false true`},
}

func TestAdded(t *testing.T) {
	for _, x := range added {
		r := byUs(context.Background(), gojqCase{query: x.query, inputs: []any{"x"}}, asItIs)
		if got := strings.Join(r.lines, " "); got != x.want {
			t.Errorf("%s: got %s, want %s", x.query, got, x.want)
		}
	}
}

// TestPrelude checks that each jq definition in the prelude can be parsed separately, and
// defines the function that its key names.
func TestPrelude(t *testing.T) {
	texts := preludeTexts()
	for k, text := range texts {
		q, err := gojq.Parse(text)
		if err != nil || len(q.FuncDefs) != 1 {
			t.Errorf("%s: %v\n%s", k, err, text)
			continue
		}
		if got := syntax.Key(q.FuncDefs[0].Name, len(q.FuncDefs[0].Args)); got != k {
			t.Errorf("%s is %s", k, got)
		}
		if _, ok := builtins()[k]; ok {
			t.Errorf("%s is written in Go, too", k)
		}
	}
	if whole, err := gojq.Parse(preludeSource); err != nil || len(whole.FuncDefs) != len(texts) {
		t.Errorf("%d definitions of %v", len(texts), err)
	}
}
