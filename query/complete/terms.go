package complete

import (
	"strings"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// call returns the source text of the function call that is inserted at the cursor, with
// the arguments that the call needs.
func (c *completer) call() string {
	if c.method {
		return mark + "()"
	}
	return mark
}

// fields adds the fields of a value, and the library's functions on it, to the candidates
// after a dot. If the value is an array, the candidates replace the dot, because one of
// them is "[].".
func (c *completer) fields() {
	w := c.infer(c.query)
	c.members(w, func(name string) string { return name })
	for _, f := range c.Functions {
		text := c.callStart(f)
		if len(f.Params) == 0 {
			text += "()"
		}
		if strings.HasPrefix(f.Name, c.prefix) && len(f.Params) < 2 && w.accepts(f) && (c.prefix != "" || len(w.shapesAtMark.ofForm()) == 0) {
			c.out = append(c.out, Candidate{Text: text, Doc: f.Signature() + ": " + f.Doc})
		}
	}
	if len(c.out) == 1 && c.out[0].Text == c.prefix {
		c.extendField(w.member(w.shapesAtMark, c.prefix))
	}
	if c.prefix != "" || !onlyArrays(w.shapesAtMark) {
		return
	}
	c.from--
	for i := range c.out {
		c.out[i].Text = "." + c.out[i].Text
	}
	c.out = append(c.out, Candidate{Text: "[].", Doc: "each of them"})
}

// extendField extends the only candidate, if it is a complete field, by "[]." for an
// array or by "." for an object.
func (c *completer) extendField(held shapes) {
	switch {
	case onlyArrays(held):
		c.out[0].Text += "[]."
	case len(held) > 0 && len(held.ofForm(schemaObject, constructedObject, keyedObject)) == len(held):
		c.out[0].Text += "."
	}
}

func onlyArrays(s shapes) bool {
	for _, have := range s {
		if have.form != array {
			return false
		}
	}
	return len(s) > 0
}

// members adds the fields of the values that can occur at the cursor to the candidates.
// If the fields aren't known from the schema, it reads them from the document.
func (c *completer) members(w *walker, write func(name string) string) {
	for _, s := range w.shapesAtMark {
		for _, m := range w.members(s) {
			if strings.HasPrefix(m.Name, c.prefix) {
				c.out = append(c.out, Candidate{Text: write(m.Name), Doc: describe(m)})
			}
		}
	}
	if !w.shapesAtMark.hasUnknownFields() {
		return
	}
	seen := map[string]bool{}
	n := 0
	c.readValues(c.query, "objects | keys", func(keys any) bool {
		names, _ := keys.([]any)
		for _, k := range names {
			name, ok := k.(string)
			if !ok || seen[name] || !strings.HasPrefix(name, c.prefix) {
				continue
			}
			seen[name] = true
			if isName(name) {
				name = write(name)
			} else if c.place == atField {
				name = `"` + escaped(name) + `"`
			} else {
				continue
			}
			c.out = append(c.out, Candidate{Text: name})
		}
		n++
		return n < maxValues && len(seen) < maxCandidates
	})
}

// maxValues is the maximum number of values that are read from the document.
const maxValues = 2000

// describe returns a short description of a field.
func describe(m mesh.Member) string {
	doc := m.Doc
	if len(m.Holding.Values) > 0 && doc == "" {
		doc = strings.Join(m.Holding.Values, ", ")
	}
	if m.Holding.List && doc == "" {
		doc = "[…]"
	}
	return doc
}

// accepts reports whether a library function can return a result for the values that can
// occur at the cursor.
func (w *walker) accepts(f Function) bool {
	d := w.base[syntax.Key(f.Name, len(f.Params))]
	// nothing is known about the function or about its input
	if d == nil || !w.reachedMark || len(w.shapesAtMark.ofForm()) > 0 {
		return true
	}
	probe := &walker{shapeContents: w.shapeContents, base: w.base, stepsLeft: maxSteps}
	args := make([]*definition, len(f.Params))
	for i := range args {
		args[i] = &definition{body: identity()}
	}
	return len(probe.apply(d, w.shapesAtMark, args)) > 0
}

func identity() *syntax.Query { return &syntax.Query{Term: &syntax.Term{Type: syntax.TermIdentity}} }

// callStart returns the beginning of a call: the name, the opening bracket, and a quote
// if the argument is a string whose possible values are known.
func (c *completer) callStart(f Function) string {
	switch {
	case len(f.Params) == 0:
		return f.Name
	case argument(f.Name, 0) != "" && len(f.Params) == 1:
		return f.Name + `("`
	}
	return f.Name + "("
}

// terms adds everything that can be the beginning of a term to the candidates.
func (c *completer) terms() {
	w := c.infer(c.query)
	if c.prefix == "" {
		c.members(w, func(name string) string { return "." + name })
		if onlyArrays(w.shapesAtMark) {
			c.out = append(c.out, Candidate{Text: ".[]", Doc: "each of them"})
		}
		if before := c.last(); before.Text == "[" && endsTerm(c.words[:len(c.words)-1]) && before.Start > 0 && c.src[before.Start-1] != ' ' {
			c.out = []Candidate{{Text: "]", Doc: "each of them"}}
			return
		}
	}
	for s := w.scopeAtMark; s != nil; s = s.up {
		switch {
		case strings.HasPrefix(s.name, "$__"):
		case strings.HasPrefix(s.name, "$"):
			c.offer(s.name, "")
		case s.def != nil && c.prefix != "":
			name, arity, _ := strings.Cut(s.name, "/")
			if arity != "0" {
				name += "("
			}
			c.offer(name, "")
		}
	}
	for _, f := range c.Functions {
		if w.accepts(f) {
			c.offer(c.callStart(f), f.Signature()+": "+f.Doc)
		}
	}
	for _, f := range builtins(c.base) {
		if c.prefix != "" || isCommon(f) {
			c.offer(c.callStart(f), f.Signature()+": "+f.Doc)
		}
	}
	c.keywords()
}

// isCommon reports whether a function is so common that it is offered before its first
// letter is typed.
func isCommon(f Function) bool {
	switch f.Name {
	case "select", "map", "length", "keys", "sort_by", "group_by", "unique", "any", "all", "first", "limit":
		return len(f.Params) < 2 || f.Name == "limit"
	}
	return false
}

func (c *completer) keywords() {
	if c.prefix == "" {
		return
	}
	for _, k := range []string{"def", "if", "reduce", "foreach", "try", "label", "null", "true", "false", "import", "include"} {
		if k != "import" && k != "include" || strings.TrimSpace(c.head) == "" {
			c.offer(k, "")
		}
	}
	if top := c.frames.top(); top.opened == "if" {
		c.offer("end", "")
	}
}

// keys adds the possible keys of an object construction to the candidates. In jq, {name}
// means {name: .name}.
func (c *completer) keys() {
	w := c.infer(c.query)
	c.members(w, func(name string) string { return name })
	c.scoped(w)
}

// variables adds the variables that are visible at the cursor to the candidates.
func (c *completer) variables() { c.scoped(c.infer(c.query)) }

func (c *completer) scoped(w *walker) {
	for s := w.scopeAtMark; s != nil; s = s.up {
		if strings.HasPrefix(s.name, "$") && (s.name != "$__loc__" && s.name != "$__it" || strings.HasPrefix(c.prefix, "$_")) {
			c.offer(s.name, "")
		}
	}
}

// isName reports whether a key can follow a dot without quotes.
func isName(s string) bool {
	for i, b := range []byte(s) {
		letter := b == '_' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
		if !letter && (i == 0 || b < '0' || b > '9') {
			return false
		}
	}
	return s != ""
}
