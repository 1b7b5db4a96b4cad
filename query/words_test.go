package query_test

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/query"
	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/query/syntax/native"
)

// oddCalls are calls of jq's functions and operators with unusual values. In a call
// that contains %s, each of these values replaces it.
const oddCalls = `keys length utf8bytelength add any all flatten floor sqrt tonumber toboolean sort min max unique reverse to_entries from_entries fromjson explode implode trim ltrim
ascii_downcase transpose first last abs gmtime mktime localtime @csv @tsv @sh @base64d @urid combinations significand gamma frexp -(.) .[] .a .[0] tojson isnan isinfinite todate fromdate
path(.a) (.a=1) (.[0]=1) (.[1:2]=[1]) (.[1:2]=1) (.[]=1) (.a|=2) (.a+=1) del(.a) del(.[0]) group_by(.) sort_by(.) min_by(.) unique_by(.) limit(-1;.) skip(-1;.) nth(-1;.) range(.) halt_error("x")
(.+%s) (.-%s) (.*%s) (./%s) (.%%%s) .[%s] has(%s) (.[%s]=9) del(.[%s]) getpath([%s]) setpath([%s];1) delpaths([[%s]]) .[%s:] .[:%s] index(%s) indices(%s) rindex(%s) ltrimstr(%s) trimstr(%s) startswith(%s)
contains(%s) inside(%s) bsearch(%s) split(%s) join(%s) test(%s) test("a";%s) flatten(%s) strptime(%s) strftime(%s) splits(%s) path(.[%s]) getpath(%s) setpath(%s;1) delpaths(%s) ldexp(.;%s) pow(.;%s)
sub("a";%s) limit(%s;1) nth(%s) skip(%s;1) {(.):%s} path(1|.[%s]) @csv"\([%s])" INDEX(%s) error(%s) (.[%s:]=[9])`

const oddValues = `null true 0 1 -1 1.5 "s" "" [1] [] {"a":1} {} {"start":1} [[1]]`

// hardlyAlike matches calls whose results differ from jq's: calls with dates
// without a year, and paths that jq rejects. In the latter, a computed number
// equals the input and is taken for the input.
var hardlyAlike = regexp.MustCompile(`^\[\] \| mktime|^\[1?\] \| todate|^"s?" \| strptime|^1 \| path\(1\|`)

// TestErrorsAreInJqsWords compares the results and error messages of unusual calls
// with those of jq 1.8.2, if scripts/jq has built it.
func TestErrorsAreInJqsWords(t *testing.T) {
	jq := filepath.Join(jqFolder(t), "jq")
	var programs []string
	for _, call := range strings.Fields(oddCalls) {
		for _, in := range strings.Fields(oddValues) {
			for _, arg := range strings.Fields(oddValues) {
				filled := strings.ReplaceAll(strings.ReplaceAll(call, "%s", arg), "%%", "%")
				programs = append(programs, in+" | "+filled)
				if filled == call {
					break
				}
			}
		}
	}
	const atOnce = 400
	compared, apart := 0, 0
	for i := 0; i < len(programs); i += atOnce {
		part := programs[i:min(i+atOnce, len(programs))]
		tried := make([]string, len(part))
		for j, p := range part {
			tried[j] = fmt.Sprintf("(try [limit(3; %s)] catch [\"error\", .])", p)
		}
		out, err := exec.Command(jq, "-nc", strings.Join(tried, ",\n")).Output()
		want := strings.Split(strings.TrimSpace(string(out)), "\n")
		if err != nil || len(want) != len(part) {
			t.Fatalf("jq: %v, %d results of %d", err, len(want), len(part))
		}
		for j, p := range part {
			got := tryOut(t.Context(), tried[j])
			v, err := jqValue(want[j])
			if compared++; err != nil || !sameInOrder(v, got) && native.Marshal(v) != native.Marshal(got) {
				if hardlyAlike.MatchString(p) {
					apart++
					continue
				}
				t.Errorf("%s:\n got %s\n jq  %s", p, native.Marshal(got), want[j])
			}
		}
	}
	t.Logf("%d calls, %d apart", compared, apart)
}

// tryOut returns the only result of a program, or its error as a value.
func tryOut(ctx context.Context, program string) (result any) {
	p, err := query.Compile(program, query.Options{Plain: true})
	if err == nil {
		err = p.Run(ctx, nil, nil, eval.RunOptions{}, func(v any) error { result = v; return nil })
	}
	if err != nil {
		return err.Error()
	}
	return result
}
