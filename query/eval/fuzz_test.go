package eval

import (
	"context"
	"fmt"
	"math/rand"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/itchyny/gojq"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// joints are formats that combine two or more parts of queries into one query.
var joints = []string{
	"%s | %s", "[%s, %s]", "(%s) as $v | $v, (%s)", "try (%s) catch (\"caught\" | %s)", "map(%s) | (%s)", "(%s) // (%s)", "(%s)? | (%s)", "[.[]? | %s] | (%s)",
	"first(%s), (%s)", "(%s) == (%s)", "{a: (%s), b: (%s)}", "reduce (%s) as $i (.; %s)", "if %s then %s else . end", "[paths] | (%s) | (%s)",
	"[limit(3; (%s), (%s))]", "path(%s)?, (%s)", "(%s) |= (%s)", "[foreach (%s) as $x (0; $x; %s)]", "def g: %s; g | (%s)",
	"to_entries? // [] | (%s) | (%s)", "[..] | (%s) | (%s)", "isempty(%s), (%s)", "[(%s)?] | sort | (%s)", "[.[]?] | group_by(%s) | (%s)",
	"any(%s; %s)", "del(%s) | (%s)", "[(%s)] | unique | (%s)", "(%s) as [$p] ?// $p | $p | (%s)", "[skip(1; %s)] + [last(%s)]", "(%s) < (%s)",
	"[while(length > 1; %s) | %s]", "[.[]?] | sort_by(%s), min_by(%s)", "walk(%s) | (%s)", "with_entries(%s)? | (%s)", "add(%s), (%s)",
	"INDEX(%s; %s)", "[label $out | (%s), break $out, (%s)]", "label $out | foreach (%s) as $x (.; %s; ., break $out)", "[(%s) + (%s)]", "(%s) - (%s)", "(%s) * (%s)",
	"pick(%s) | (%s)", "[tostream] | (%s) | (%s)", "\"\\(%s) and \\(%s)\"", "getpath(path(%s)) | (%s)", "(%s) = (%s)", "(%s) += (%s)", "[splits(%s)]? | (%s)",
}

// unfit matches parts of queries that the test can't use, because they depend on the
// environment, run for a long time, or write messages.
var unfit = regexp.MustCompile(`import|include|\bnow|builtins|modulemeta|ENV|env|input|halt|debug|stderr|range\(\.|large|repeat|infinite|1e|while|until|recurse|0000|` +
	`localtime|mktime|strf|todate|gmtime|limit\(\.|loc__|label|implode|__|combinations|\$ARGS|getpath\(\$|ascii\(|@base32|toarray|have_|splits\(\.|\* 1`)

// ofJq matches parts of queries that the test can't use: gojq's results differ from jq's,
// and the evaluator returns jq's (see package conform).
var ofJq = regexp.MustCompile(`base64d|1\.2e3|truncate_stream|reverse|transpose|urid|flatten|indices|delpaths\(\[\[\{|\.\[\[|nth\(-|path\(\.\[1:`)

// corpus returns parts of queries, and input values, from gojq's test cases.
func corpus(t testing.TB) (pieces []string, inputs []any) {
	cases, _ := gojqCases(t)
	for _, c := range cases {
		if len(c.query) > 60 || len(c.inputs) == 0 || unfit.MatchString(c.query) || ofJq.MatchString(c.query) {
			continue
		}
		if _, err := gojq.Parse(c.query); err != nil {
			continue
		}
		pieces = append(pieces, c.query)
		for _, in := range c.inputs {
			if text, _ := gojq.Marshal(object.ToPlain(in)); len(text) < 200 {
				inputs = append(inputs, in)
			}
		}
	}
	inputs = append(inputs,
		object.Of("a", object.Of("b", []any{1, nil, "x"}), "c", []any{object.Of("a", 2), object.Of("a", 1)}),
		[]any{object.Of("name", "b", "v", []any{}), object.Of("name", "a"), nil, false, 1.5, "text"})
	return pieces, inputs
}

// combined creates a query from random parts.
func combined(r *rand.Rand, pieces []string) string {
	pick := func() string { return pieces[r.Intn(len(pieces))] }
	joint := func() string { return joints[r.Intn(len(joints))] }
	q := fmt.Sprintf(joint(), pick(), pick())
	if r.Intn(3) == 0 {
		q = fmt.Sprintf(joint(), q, pick())
	}
	return q
}

// known lists kinds of queries whose results differ from gojq's, each with the reason.
var known = []struct {
	why string
	is  func(query string, gojqs, ours, lazy *results) bool
}{
	{
		"gojq sorts the keys of an object, here they stay as a query has set them",
		func(query string, gojqs, ours, lazy *results) bool {
			// whether the query applies @base64 to the text of a JSON value
			inCode := strings.Contains(query, "@base64")
			return setsKeys.MatchString(query) && (inCode || reordered(gojqs.kinds(), ours.kinds())) && lazy.alike(ours)
		},
	},
	{
		"whether a value that was made is, by chance, the input itself can't be told of an input that is not loaded",
		func(query string, gojqs, ours, _ *results) bool {
			return gojqs.kinds() == ours.kinds() && ofPaths.MatchString(query)
		},
	}, {
		"the words of an error, seen through catch, don't show what is not loaded",
		func(query string, gojqs, ours, _ *results) bool {
			return gojqs.kinds() == ours.kinds() && catches.MatchString(query)
		},
	}, {
		"gojq follows paths into operands, arguments and its own definitions, and refuses there what is no path; here those are values",
		func(query string, gojqs, _, _ *results) bool {
			return ofPaths.MatchString(query) && (catches.MatchString(query) || definedInJq.MatchString(query) || strings.Contains(gojqs.String(), "error: invalid path "))
		},
	}, {
		"an error behind the body of ?// makes gojq try the next pattern; here the body ends where it ends",
		func(query string, gojqs, ours, lazy *results) bool {
			return strings.Contains(query, "?//") && lazy.alike(ours)
		},
	}, {
		"gojq takes a character of a string by its number, and nothing of null by an array; to jq these are errors",
		func(query string, _, ours, lazy *results) bool {
			raised := strings.Contains(ours.String(), "Cannot index string with number") || strings.Contains(ours.String(), "Cannot index null with array")
			return numbered.MatchString(query) && (raised || catches.MatchString(query)) && lazy.alike(ours)
		},
	},
}

var (
	// in these queries the result depends on the text of an error, which is jq's
	caughtWords = regexp.MustCompile(`catch \.([^a-zA-Z\[".]|$)`)
	setsKeys    = regexp.MustCompile(`\{|setpath|path\(.*:|[^=!<>]=([^=]|$)`)
	numbered    = regexp.MustCompile(`\.\w*\[|nth|first|last|getpath`)
	ofPaths     = regexp.MustCompile(`\b(path|paths|del|pick|walk|map_values)\(|[^=!<>]=([^=]|$)`)
	catches     = regexp.MustCompile(`\?|\btry\b|//`)
	definedInJq = regexp.MustCompile(`\b(walk|with_entries|from_entries|to_entries|split|splits|sub|gsub|tostream|fromstream)\b`)
)

type verdict int

const (
	agree verdict = iota
	differ
	undecided // result for a query that can't be compiled, or takes too long
	excused
)

// reordered reports whether two strings have the same bytes, in any order.
func reordered(a, b string) bool {
	var count [256]int
	for i := range len(a) {
		count[a[i]]++
	}
	for i := range len(b) {
		count[b[i]]--
	}
	return count == [256]int{}
}

// compared runs a query three times: in gojq, in the evaluator, and in the evaluator with
// an input whose parts are all lazy.
func compared(query string, in any) (v verdict, gojqs, ours, lazy *results) {
	run := func(f func(ctx context.Context) *results) (*results, bool) {
		ctx, cancel := context.WithTimeout(context.Background(), 400*time.Millisecond)
		defer cancel()
		r := f(ctx)
		return r, ctx.Err() == nil && len(r.lines) < mostResults
	}
	query = caughtWords.ReplaceAllString(query, `catch "caught"$1`)
	tc := gojqCase{query: query, inputs: []any{in}}
	var ok1, ok2, ok3 bool
	if gojqs, ok1 = run(func(ctx context.Context) *results { return byGojq(ctx, tc) }); !ok1 || gojqs.String() == "does not compile" {
		return undecided, nil, nil, nil
	}
	ours, ok2 = run(func(ctx context.Context) *results { return byUs(ctx, tc, asItIs) })
	lazy, ok3 = run(func(ctx context.Context) *results { return byUs(ctx, tc, lazily) })
	if !ok2 || !ok3 {
		return undecided, gojqs, ours, lazy
	}
	if gojqs.kinds() == ours.kinds() && lazy.alike(ours) {
		return agree, gojqs, ours, lazy
	}
	for _, k := range known {
		if k.is(query, gojqs, ours, lazy) {
			return excused, gojqs, ours, lazy
		}
	}
	return differ, gojqs, ours, lazy
}

// TestCombinations checks that some thousand random queries have the same results as in
// gojq. The queries are the same in each run of the test.
func TestCombinations(t *testing.T) {
	pieces, inputs := corpus(t)
	r := rand.New(rand.NewSource(1))
	n := 1200
	if testing.Short() {
		n = 500
	}
	var count [4]int
	for range n {
		query, in := combined(r, pieces), inputs[r.Intn(len(inputs))]
		if _, err := gojq.Parse(query); err != nil {
			count[undecided]++
			continue
		}
		v, gojqs, ours, lazy := compared(query, in)
		count[v]++
		if v == differ {
			text, _ := gojq.Marshal(object.ToPlain(in))
			t.Errorf("%s\n input %s\n gojq %s\n ours %s\n lazy %s", query, text, brief(gojqs), brief(ours), brief(lazy))
		}
	}
	t.Logf("%d queries of %d pieces: %d the same, %d different, %d of known kinds, %d not compared", n, len(pieces), count[agree], count[differ], count[excused], count[undecided])
	if count[agree] < n/2 {
		t.Error("too few were compared")
	}
	if count[excused] > n/200 {
		t.Error("too many are of known kinds")
	}
}

// FuzzEvaluate searches for a query whose results differ from gojq's, or change if its
// input is lazy.
func FuzzEvaluate(f *testing.F) {
	pieces, inputs := corpus(f)
	for seed := range 8 {
		f.Add(int64(seed))
	}
	f.Fuzz(func(t *testing.T, seed int64) {
		r := rand.New(rand.NewSource(seed))
		query, in := combined(r, pieces), inputs[r.Intn(len(inputs))]
		if _, err := gojq.Parse(query); err != nil {
			return
		}
		if v, gojqs, ours, lazy := compared(query, in); v == differ {
			text, _ := gojq.Marshal(object.ToPlain(in))
			t.Errorf("%s\n input %s\n gojq %s\n ours %s\n lazy %s", query, text, brief(gojqs), brief(ours), brief(lazy))
		}
	})
}

// FuzzNoPanic runs any query that can be parsed, with small limits, and checks that it
// doesn't panic.
func FuzzNoPanic(f *testing.F) {
	cases, _ := gojqCases(f)
	for _, c := range cases {
		f.Add(c.query, `{"a":[1,{"b":null}],"c":"x"}`)
	}
	f.Fuzz(func(t *testing.T, query, input string) {
		p, err := syntax.Parse("", query)
		if err != nil {
			return
		}
		code, err := Compile(p, Options{})
		if err != nil {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		in := lazily(input)
		if r := byGojq(ctx, gojqCase{query: "fromjson", inputs: []any{input}}); len(r.lines) == 1 && !strings.HasPrefix(r.lines[0], "error") {
			q, _ := gojq.Parse("fromjson")
			v, _ := q.Run(input).Next()
			in = lazily(object.FromPlain(v))
		}
		n := 0
		_ = code.Run(ctx, in, nil, RunOptions{Memory: 64 << 20}, func(any) error {
			if n++; n > 1000 {
				return errEnough
			}
			return nil
		})
	})
}
