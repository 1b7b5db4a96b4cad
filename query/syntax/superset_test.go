package syntax

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/itchyny/gojq"
)

// verdict records whether a source is valid, and whether it contains a method call.
type verdict struct{ valid, method bool }

// compare parses a source with this parser and with gojq's. complaint is empty if the
// results agree, or if they differ only because of a method call.
func compare(src string) (v verdict, complaint string) {
	theirs, theirErr := gojq.Parse(src)
	program, err := Parse("", src)
	if err == nil {
		v.method = methods(program.Query) > 0
	}
	switch {
	case theirErr == nil && err != nil:
		return v, "gojq accepts it, we say " + err.Error()
	case theirErr == nil:
		v.valid = true
		if ours := converted(program.Query); !reflect.DeepEqual(theirs, ours) {
			return v, "the trees differ: gojq " + theirs.String() + ", ours " + ours.String()
		}
		if v.method {
			return v, "a method call in plain jq"
		}
		return v, ""
	case err == nil:
		if !v.method {
			return v, "we accept it, gojq says " + theirErr.Error()
		}
		return v, expands(program.Query)
	}
	return v, sameOffset(src, theirErr.(*gojq.ParseError), err.(*Error))
}

// expands checks that a tree with method calls can be formatted as plain jq. It returns a
// description of the difference, or "".
func expands(q *Query) string {
	text := converted(q).String()
	plain, err := gojq.Parse(text)
	if err != nil {
		return "the expansion " + text + " does not parse: " + err.Error()
	}
	if plain.String() != text {
		return "the expansion " + text + " is read as " + plain.String()
	}
	return ""
}

// sameOffset compares the positions of the two parsers' errors. gojq's error contains the
// offset of the end of a token.
func sameOffset(src string, theirs *gojq.ParseError, ours *Error) string {
	begin, end := ours.Start, ours.End
	switch {
	case (theirs.Token == "" || theirs.Token == "\x00") && begin == end:
		// Both errors are at the end of the source. There, this parser reports the
		// position after the last token, but gojq may read a NUL that ends a comment as a
		// token.
		l := lexer{src: src, pos: begin}
		if l.next().kind == tokEnd && theirs.Offset-len(theirs.Token) == l.pos {
			return ""
		}
	case theirs.Offset == end:
		return ""
	case theirs.Token == "&" && theirs.Offset == begin+1, theirs.Token == "'" && theirs.Offset == begin+1:
		return "" // this parser marks both characters of &&, and all of '…'
	case theirs.Token == "(" && (end > theirs.Offset || strings.HasSuffix(ours.Msg, "cannot be called")):
		return "" // the source has a method call, whose name may be a keyword
	}
	return "gojq says " + theirs.Error() + ", we say " + ours.Error()
}

func methods(q *Query) (n int) {
	everyNode(q, func(at node) {
		if f, ok := at.(*Func); ok && f.Method {
			n++
		}
	})
	return n
}

func everyNode(n node, f func(node)) {
	f(n)
	n.children(func(child node, _ int) { everyNode(child, f) })
}

func TestSupersetOfGojqsOwnTests(t *testing.T) {
	valid := 0
	for _, src := range sources(t) {
		v, complaint := compare(src)
		if complaint != "" {
			t.Errorf("%q: %s", src, complaint)
		}
		if v.valid {
			valid++
		}
	}
	if n := len(sources(t)); valid < n*3/4 || valid == n {
		t.Errorf("%d of %d sources are valid: that can't be", valid, n)
	}
	t.Logf("%d sources, %d valid", len(sources(t)), valid)
}

// fragments lists the tokens of which random queries consist.
var fragments = append(strings.Fields(`. .. .a .b ["x"] [0] [] [1:] [:2] [1:2] ? // , | + - * / % == != < <= > >= = |= += -= *= /= %= //=
and or not as $x $y $__loc__ reduce foreach if then elif else end try catch label break def f g f(x) f($x) ; : ( ) { } [ ]
"s" "a\(.b)c" "\( )" @base64 @json 1 1.5 .5 1e3 1e 2.f null true false import include module m::f $m::x {a:1} {a} {$x} {"a"} {(.a):1}
.f(1) .f(.a;1) .g() .g()? .f(.f(1)) .f(1).g(2) .k(.[]) ?// .f( ) .f() .and .if .[] && || ! 'q' " \ \u00 # : :: ::f & ~ $ @ ;: as$x|`),
	" ", "\n", "\t", "\x00", "#c\n", "#\\\n", "#\\\r\nx\n", "é", "\u00a0", "\xff", `"\ud83d\ude00"`, `"\ud83d"`, "\"\xff\"", "\"\x01\"", "\"\x7f\"")

var calls = strings.Fields(`.f(1) .f(.a;1) .g() .g()? .f(.f(1)) .f(1).g(2) .k(.[])? .if(1) .f(1;)`)

func nameEnd(src string, i int) int {
	for i < len(src) && isNamePart(src[i]) {
		i++
	}
	return i
}

// cook returns a random query. It consists of random tokens, or is a changed copy of one
// of gojq's queries.
func cook(r *rand.Rand, corpus []string) string {
	if r.IntN(3) == 0 {
		var b strings.Builder
		for range 1 + r.IntN(8) {
			b.WriteString(fragments[r.IntN(len(fragments))])
			if r.IntN(2) == 0 {
				b.WriteByte(' ')
			}
		}
		return b.String()
	}
	src := corpus[r.IntN(len(corpus))]
	if len(src) > 300 {
		src = src[:300]
	}
	for range 1 + r.IntN(2) {
		if r.IntN(4) == 0 { // inserts a method call after what is probably the end of a term
			i := nameEnd(src, r.IntN(len(src)+1))
			src = src[:i] + calls[r.IntN(len(calls))] + src[i:]
			continue
		}
		i := r.IntN(len(src) + 1)
		j := min(len(src), i+r.IntN(4))
		part := fragments[r.IntN(len(fragments))]
		switch r.IntN(4) {
		case 0:
			src = src[:i] + src[j:]
		case 1:
			src = src[:i] + part + src[i:]
		case 2:
			src = src[:i] + " " + part + " " + src[j:]
		case 3:
			if other := corpus[r.IntN(len(corpus))]; len(other) < 80 {
				src = src[:i] + other + src[j:]
			}
		}
	}
	return src
}

func TestSupersetOfRandomPrograms(t *testing.T) {
	n := 12_000
	if testing.Short() {
		n = 4_000
	}
	corpus := sources(t)
	r := rand.New(rand.NewPCG(1, 2))
	var valid, method int
	for range n {
		src := cook(r, corpus)
		v, complaint := compare(src)
		if complaint != "" {
			t.Errorf("%q: %s", src, complaint)
		}
		if v.valid {
			valid++
		}
		if v.method {
			method++
		}
	}
	t.Logf("%d programs, %d valid jq, %d with method calls", n, valid, method)
	if valid < n/20 || method < n/50 {
		t.Error("the random programs exercise too little")
	}
}

func FuzzSuperset(f *testing.F) {
	corpus := sources(f)
	for _, src := range corpus {
		f.Add(src)
	}
	for _, c := range equivalences {
		f.Add(c.method)
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range 2_000 {
		f.Add(cook(r, corpus))
	}
	f.Fuzz(func(t *testing.T, src string) {
		if len(src) > 10_000 {
			return // this parser limits the size of a query, but gojq doesn't
		}
		if _, complaint := compare(src); complaint != "" {
			t.Errorf("%q: %s", src, complaint)
		}
	})
}
