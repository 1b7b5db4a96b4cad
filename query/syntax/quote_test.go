package syntax

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestUnescape compares the decoding of escape sequences with that of encoding/json.
func TestUnescape(t *testing.T) {
	parts := []string{`\n`, `\t`, `\r`, `\b`, `\f`, `\/`, `\\`, `\"`, `\u0041`, `\u00e9`, `\u00E9`, `\uABCD`, `\ud83d`, `\udc00`, `\uDFFF`, `\ude00`, `\udbff`, `\ud800`, `\ue000`, `\ud7ff`,
		"a", "日", "\xff", "\xed\xa0\x80", "\x7f", "🙂", "u"}
	r := rand.New(rand.NewPCG(13, 14))
	for range 20_000 {
		var b strings.Builder
		for range r.IntN(5) {
			b.WriteString(parts[r.IntN(len(parts))])
		}
		var want string
		if err := json.Unmarshal([]byte(`"`+b.String()+`"`), &want); err != nil {
			t.Fatal(err)
		}
		program, err := Parse("", `"`+b.String()+`"`)
		if err != nil {
			t.Fatal(err)
		}
		if got := program.Query.Term.Str.Str; got != want {
			t.Fatalf("%q is %q, want %q", b.String(), got, want)
		}
	}
}
