package complete

import (
	"cmp"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// A Schema knows the fields of an object by its shape's name (see
// [mesh.Holding]); nil for a shape that it doesn't know.
type Schema interface {
	Members(shape string) []mesh.Member
}

// Options are what a query is written against.
type Options struct {
	// Schema knows the document, and Root is the shape of the query's input;
	// empty: nothing is known of it.
	Schema Schema
	Root   string

	// Functions are those of the library. jq's own are known here.
	Functions []Function

	// Variables are the names, "$name", that the query is given.
	Variables []string

	// Look runs a query over what is known of the document, and hands each
	// value that debug is given to each, until that is false. What it can't
	// look at is left out. nil: there is nothing to look at.
	Look func(query string, each func(message any) bool)
}

// A Candidate is one way to go on.
type Candidate struct {
	Text string // in place of the source from [Result.From] on
	Doc  string // what it is, in a few words; may be empty
}

// A Result is how a source may go on.
type Result struct {
	From       int // where in the source the candidates stand
	Candidates []Candidate
}

// mostCandidates is how many are worth to be listed.
const mostCandidates = 500

// Query gives the candidates at the end of a source, sorted. Whatever it is, it
// is no error: nothing is offered where nothing is known.
func Query(src string, o Options) Result {
	p := locate(src)
	c := &completer{Options: o, position: p, base: base()}
	switch p.place {
	case aField:
		c.fields()
	case aTerm:
		c.terms()
	case aKey:
		c.keys()
	case aVariable:
		c.variables()
	case aFormat:
		c.formats()
	case aString:
		c.strings()
	case anOperator:
		c.operators()
	}
	slices.SortFunc(c.out, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(strings.Trim(a.Text, `."$`), strings.Trim(b.Text, `."$`)), cmp.Compare(a.Text, b.Text))
	})
	c.out = slices.CompactFunc(c.out, func(a, b Candidate) bool { return a.Text == b.Text })
	return Result{From: c.from, Candidates: c.out[:min(len(c.out), mostCandidates)]}
}

// A completer gathers the candidates at a position.
type completer struct {
	Options
	*position
	base map[string]*definition
	out  []Candidate
}

// offer adds a candidate, if it goes on from what was begun.
func (c *completer) offer(text, doc string) {
	if strings.HasPrefix(text, c.begun) && (text != c.begun || c.place != anOperator) {
		c.out = append(c.out, Candidate{Text: text, Doc: doc})
	}
}

// here gives what comes to the cursor: the query is walked with the mark there.
// A call that isn't closed may be one with more arguments, too.
func (c *completer) here(query func(term string) string) *walker {
	w := c.walk(query)
	top := c.frames.top()
	if top.call == "" {
		return w
	}
	for more := 1; more < 3; more++ {
		if _, ok := c.base[syntax.Key(top.call, top.arg+1+more)]; !ok {
			continue
		}
		c.more = more
		longer := c.walk(query)
		c.more = 0
		if _, ok := c.base[syntax.Key(top.call, top.arg+1)]; !ok {
			w = longer
			continue
		}
		w.at = w.at.or(longer.at)
	}
	return w
}

func (c *completer) walk(query func(term string) string) *walker {
	w := &walker{world: world{c.Schema}, base: c.base, fuel: mostSteps}
	program, err := syntax.Parse("", query(c.call()))
	if err != nil {
		return w
	}
	var s *scope
	for _, v := range append([]string{"$ENV", "$__loc__"}, c.Variables...) {
		s = &scope{up: s, name: v, of: shapes{{form: unknown}}}
	}
	in := shapes{{form: unknown}}
	if c.Root != "" {
		in = objectOf(c.Root)
	}
	w.query(program.Query, in, s)
	if !w.reached { // in a function that nobody calls yet
		w.uncalled(program.Query, s)
	}
	return w
}

// uncalled walks the definitions that the mark may stand in, over anything.
func (w *walker) uncalled(q *syntax.Query, s *scope) {
	for ; q != nil && !w.reached; q = q.Right {
		for _, fd := range q.FuncDefs {
			s = w.define(fd, s)
			inner := s
			for _, param := range fd.Args {
				if param[0] == '$' {
					inner = &scope{up: inner, name: param}
				}
				name := strings.TrimPrefix(param, "$")
				inner = &scope{up: inner, name: syntax.Key(name, 0), def: &definition{self: syntax.Key(name, 0)}}
			}
			w.fuel = mostSteps
			w.query(fd.Body, shapes{{form: unknown}}, inner)
			w.uncalled(fd.Body, inner)
		}
		w.uncalled(q.Left, s)
	}
}

// look runs a query in which what stands for the cursor hands out the values
// of an expression, see [Options.Look].
func (c *completer) look(query func(term string) string, what string, each func(value any) bool) {
	if c.Look == nil {
		return
	}
	term := "debug([\"" + mark + "\", (" + what + ")])"
	if c.method {
		term += ".empty()"
	} else {
		term = "(" + term + " | empty)"
	}
	c.more = c.missing()
	text := query(term)
	c.more = 0
	c.Look(text, func(message any) bool {
		m, ok := message.([]any)
		if !ok || len(m) == 0 || m[0] != mark {
			return true
		}
		for _, v := range m[1:] {
			if !each(v) {
				return false
			}
		}
		return true
	})
}

// missing is how many arguments the call around the cursor needs at least
// before there is such a function.
func (c *completer) missing() int {
	top := c.frames.top()
	for more := 0; top.call != "" && more < 3; more++ {
		if _, ok := c.base[syntax.Key(top.call, top.arg+1+more)]; ok {
			return more
		}
	}
	return 0
}

// formats offers @json and the like.
func (c *completer) formats() {
	for name, doc := range map[string]string{
		"@text": "as tostring", "@json": "as JSON", "@csv": "a row of comma-separated values", "@tsv": "a row of tab-separated values",
		"@html": "escaped for HTML", "@uri": "escaped for a URL", "@urid": "a URL unescaped", "@sh": "quoted for a shell", "@base64": "in base64", "@base64d": "from base64",
		"@base32": "in base32", "@base32d": "from base32",
	} {
		c.offer(name, doc)
	}
}

// operators offers the words that may stand behind a term.
func (c *completer) operators() {
	if c.from == len(c.src) || c.from == 0 || !strings.ContainsAny(c.src[c.from-1:c.from], " \t\n)]}") {
		return
	}
	words := []string{"and", "or", "as"}
	switch top := c.frames.top(); {
	case top.opened == "if" && top.state == "cond":
		words = append(words, "then")
	case top.opened == "if" && top.state == "then":
		words = append(words, "elif", "else", "end")
	case top.opened == "if":
		words = append(words, "end")
	}
	for _, w := range words {
		c.offer(w, "")
	}
}
