package decode

import (
	"fmt"
	"strings"
	"testing"
	"testing/iotest"
)

// TestStreamsAcceptJqNumbers checks that a stream accepts the same numbers as jq
// does, and that a document accepts only those of JSON.
func TestStreamsAcceptJqNumbers(t *testing.T) {
	for text, want := range map[string]string{
		`[nan,NaN,-nan,[Infinity],-infinity,+1,.5,-.5]`: `[NaN NaN NaN [+Inf] -Inf 1 0.5 -0.5]`,
		`nan `:               `NaN`,
		`[null,-1,1e3,null]`: `[<nil> -1 1e3 <nil>]`,
		`[nope]`:             `expected null but found 'o' at byte 2`,
		`[-]`:                `expected a digit but found ']' at byte 2`,
		`[0x1p4]`:            `expected ',' or ']' but found 'x' at byte 2`,
		`[Infinit]`:          `expected a JSON value but found 'I' at byte 1`,
		`[+0x1]`:             `expected a JSON value but found '+' at byte 1`,
		`n`:                  `unexpected end of JSON at byte 1`,
	} {
		for way, v := range map[string]*Stream{"whole": NewStream(strings.NewReader(text), Limits{}), "a byte a time": NewStream(iotest.OneByteReader(strings.NewReader(text)), Limits{})} {
			got, err := v.Next()
			said := fmt.Sprint(got)
			if err != nil {
				said = err.Error()
			}
			if said != want {
				t.Errorf("%s, %s: %s, want %s", text, way, said, want)
			}
		}
	}
	if v, err := Read(strings.NewReader(`[nan]`), Limits{}); err == nil {
		t.Errorf("a document has %v", v)
	}
}
