package complete

import (
	"cmp"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// Schema describes the fields of the objects in the document. It is called with the name
// of an object's shape (see [mesh.Holding]), and returns nil for an unknown shape.
type Schema interface {
	Members(shape string) []mesh.Member
}

// Options describe the environment in which the completed query will run.
type Options struct {
	// Schema describes the objects of the document. Root is the shape of the query's
	// input; it is empty if the input is unknown.
	Schema Schema
	Root   string

	// Functions are the functions of the library. The functions of jq itself are known to
	// this package.
	Functions []Function

	// Variables are the names of the variables that the query may use, such as "$name".
	Variables []string

	// Look runs a query, but reads only values that are available without a request; it
	// omits all others. Every value that the query passes to the builtin debug is passed
	// to the callback each, until the callback returns false. If Look is nil, no values
	// are available.
	Look func(query string, each func(message any) bool)
}

// A Candidate is a text with which the user may continue the query.
type Candidate struct {
	Text string // the text that replaces the end of the source, from [Result.From] on
	Doc  string // a short description of the candidate; may be empty
}

// A Result contains the candidates for continuing a query that is being typed.
type Result struct {
	From       int // offset in the source; a candidate replaces the text from this offset on
	Candidates []Candidate
}

// maxCandidates limits the number of candidates that are returned.
const maxCandidates = 500

// Query returns candidates for continuing the query src at its end, sorted. The query is
// usually incomplete, so it may be invalid. If nothing is known about what may follow,
// there are no candidates.
func Query(src string, o Options) Result {
	p := locate(src)
	c := &completer{Options: o, position: p, base: base()}
	switch p.place {
	case atField:
		c.fields()
	case atTerm:
		if r := comparedStrings(c, src); len(r.Candidates) > 0 {
			return r
		}
		c.terms()
	case atKey:
		c.keys()
	case atVariable:
		c.variables()
	case atFormat:
		c.formats()
	case atString:
		c.strings()
	case atOperator:
		c.operators()
	}
	slices.SortFunc(c.out, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(strings.Trim(a.Text, `."$`), strings.Trim(b.Text, `."$`)), cmp.Compare(a.Text, b.Text))
	})
	c.out = slices.CompactFunc(c.out, func(a, b Candidate) bool { return a.Text == b.Text })
	return Result{From: c.from, Candidates: c.out[:min(len(c.out), maxCandidates)]}
}

// comparedStrings returns candidates for the right side of a comparison if the source
// ends with a comparison operator, as in .rds ==. The candidates are strings with quotes.
func comparedStrings(c *completer, src string) Result {
	if c.prefix != "" || !isComparison(c.last()) {
		return Result{}
	}
	r := Query(src+`"`, c.Options)
	if r.From != len(src)+1 {
		return Result{}
	}
	r.From = len(src)
	for i := range r.Candidates {
		r.Candidates[i].Text = `"` + r.Candidates[i].Text
	}
	return r
}

// completer collects the candidates for one position in a query.
type completer struct {
	Options
	*position
	base map[string]*definition
	out  []Candidate
}

// offer adds a candidate if it begins with the text that the user has already typed.
func (c *completer) offer(text, doc string) {
	if strings.HasPrefix(text, c.prefix) && (text != c.prefix || c.place != atOperator) {
		c.out = append(c.out, Candidate{Text: text, Doc: doc})
	}
}

// infer determines the shapes (kinds) of the values that can occur at the cursor. It
// inserts a mark at the cursor, parses the source and interprets the query. If a call
// around the cursor isn't closed yet, the user may add arguments to it. So infer also
// tries the functions with the same name and more parameters.
func (c *completer) infer(query func(term string) string) *walker {
	w := c.walk(query)
	top := c.frames.top()
	if top.call == "" {
		return w
	}
	for more := 1; more < 3; more++ {
		if _, ok := c.base[syntax.Key(top.call, top.arg+1+more)]; !ok {
			continue
		}
		c.extraArguments = more
		longer := c.walk(query)
		c.extraArguments = 0
		if _, ok := c.base[syntax.Key(top.call, top.arg+1)]; !ok {
			w = longer
			continue
		}
		w.shapesAtMark = w.shapesAtMark.union(longer.shapesAtMark)
	}
	return w
}

func (c *completer) walk(query func(term string) string) *walker {
	w := &walker{shapeContents: shapeContents{c.Schema}, base: c.base, stepsLeft: maxSteps}
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
	if !w.reachedMark { // the cursor is in the body of a function that isn't called yet
		w.walkUncalled(program.Query, s)
	}
	return w
}

// walkUncalled interprets the bodies of function definitions until it reaches the
// cursor. It
// assumes that the functions' inputs and arguments have an unknown shape.
func (w *walker) walkUncalled(q *syntax.Query, s *scope) {
	for ; q != nil && !w.reachedMark; q = q.Right {
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
			w.stepsLeft = maxSteps
			w.query(fd.Body, shapes{{form: unknown}}, inner)
			w.walkUncalled(fd.Body, inner)
		}
		w.walkUncalled(q.Left, s)
	}
}

// readValues reads the values that an expression has at the cursor. It inserts the
// expression into the query, runs the query with [Options.Look], and passes the values to
// each.
func (c *completer) readValues(query func(term string) string, what string, each func(value any) bool) {
	if c.Look == nil {
		return
	}
	term := "debug([\"" + mark + "\", (" + what + ")])"
	if c.method {
		term += ".empty()"
	} else {
		term = "(" + term + " | empty)"
	}
	c.extraArguments = c.missingArguments()
	text := query(term)
	c.extraArguments = 0
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

// missingArguments returns how many more arguments the call around the cursor needs. With
// these, the number of arguments is one that the called function accepts.
func (c *completer) missingArguments() int {
	top := c.frames.top()
	for more := 0; top.call != "" && more < 3; more++ {
		if _, ok := c.base[syntax.Key(top.call, top.arg+1+more)]; ok {
			return more
		}
	}
	return 0
}

// formats adds the string formats, such as @json, to the candidates.
func (c *completer) formats() {
	for name, doc := range map[string]string{
		"@text": "as tostring", "@json": "as JSON", "@csv": "a row of comma-separated values", "@tsv": "a row of tab-separated values",
		"@html": "escaped for HTML", "@uri": "escaped for a URL", "@urid": "a URL unescaped", "@sh": "quoted for a shell", "@base64": "in base64", "@base64d": "from base64",
		"@base32": "in base32", "@base32d": "from base32",
	} {
		c.offer(name, doc)
	}
}

// operators adds the operators and keywords that may follow a term to the candidates.
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
