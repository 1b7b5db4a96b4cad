package complete

import (
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/query/syntax"
)

// place is the kind of text that may follow at the end of the source.
type place int

const (
	nowhere    place = iota
	atField          // after a dot, where a field may follow
	atTerm           // at the beginning of a term
	atKey            // at a key of an object construction
	atVariable       // after a $, where a variable may follow
	atFormat         // after an @, where a format may follow
	atString         // in a string
	atOperator       // after a term, where an operator may follow
)

// mark is the name of the function call that is inserted at the cursor. No real query
// uses this name.
const mark = "__here"

// position describes the end of a source, and what must be added so that the source can
// be parsed.
type position struct {
	src    string
	place  place
	prefix string // the incomplete word at the end of the source
	from   int    // offset of prefix in the source

	words  []syntax.Word // all words of the source before prefix
	frames frames        // brackets, strings and keywords that are open at the end of the source

	head           string // the source before the cursor
	method         bool   // whether the cursor follows a term, so that a method call is inserted: X.__here()
	key            bool   // whether the cursor is at a key, so that the inserted call is the value of that key
	extraArguments int    // number of arguments to add to the call around the cursor
}

// locate analyzes the end of a source.
func locate(src string) *position {
	words, commented := syntax.Words(src)
	p := &position{src: src, from: len(src), head: src}
	if commented {
		return p
	}
	var last *syntax.Word
	if n := len(words); n > 0 && words[n-1].End == len(src) {
		last = &words[n-1]
	}
	p.words = words
	if last != nil && mayBeIncomplete(*last) {
		p.words = words[:len(words)-1]
		p.prefix, p.from, p.head = last.Text, last.Start, src[:last.Start]
	}
	p.frames = openFrames(p.words)
	if last == nil || !mayBeIncomplete(*last) {
		p.locateAfterWord()
	} else {
		p.locateInWord(*last)
	}
	if p.place == atTerm && p.frames.top().expectsKey() {
		p.place = atKey
	}
	p.key = p.frames.top().expectsKey()
	return p
}

// mayBeIncomplete reports whether the user may continue typing this word, which is the
// last one of the source.
func mayBeIncomplete(w syntax.Word) bool {
	switch w.Kind {
	case syntax.WordName, syntax.WordKeyword, syntax.WordField, syntax.WordVariable, syntax.WordFormat, syntax.WordOpenString:
		return true
	}
	return w.Text == "." || w.Text == "$" || w.Text == "@"
}

// locateAfterWord analyzes a source whose last word is complete.
func (p *position) locateAfterWord() {
	switch {
	case p.frames.top().expectsNewName() || p.frames.top().pattern:
	case endsTerm(p.words):
		p.place = atOperator
	default:
		p.place = atTerm
	}
}

// locateInWord analyzes a source whose last word is incomplete.
func (p *position) locateInWord(w syntax.Word) {
	top := p.frames.top()
	switch {
	case top.expectsNewName() || top.pattern && w.Kind != syntax.WordOpenString:
	case w.Kind == syntax.WordOpenString:
		p.locateInString(w)
	case w.Kind == syntax.WordField || w.Text == ".":
		p.place, p.method = atField, true
		p.prefix, p.from = strings.TrimPrefix(p.prefix, "."), p.from+1
	case w.Kind == syntax.WordVariable || w.Text == "$":
		if before := p.last().Text; before != "label" && before != "break" {
			p.place = atVariable
		}
	case w.Kind == syntax.WordFormat || w.Text == "@":
		p.place = atFormat
	case strings.Contains(w.Text, "::"):
	case endsTerm(p.words):
		p.place = atOperator
	default:
		p.place = atTerm
	}
}

// locateInString analyzes a source that ends inside a string. The string may be the name
// of a field.
func (p *position) locateInString(w syntax.Word) {
	if !strings.HasPrefix(p.src[w.Start:], `"`) {
		return // the text follows an interpolation, so its possible values are unknown
	}
	p.from++
	p.place, p.prefix = atString, p.src[p.from:]
	n := len(p.words)
	switch last := p.last(); {
	// the string is the name of a field, as in ."name
	case last.Text == "." && last.Kind == syntax.WordSign && last.End == w.Start:
		p.method, p.head, p.words = true, p.src[:last.Start], p.words[:n-1]
	case last.Text == "[" && n > 1 && endsTerm(p.words[:n-1]): // the string is the name of a field, as in .["name
		p.method, p.words, p.frames = true, p.words[:n-1], p.frames[:len(p.frames)-1]
		p.head = p.src[:last.Start]
		if before := p.last(); before.Text == "." && before.Kind == syntax.WordSign {
			p.head, p.words = p.src[:before.Start], p.words[:n-2]
		}
	case last.Kind == syntax.WordFormat:
		p.place = nowhere
	case endsTerm(p.words):
		p.place = nowhere
	}
}

func (p *position) last() syntax.Word {
	if len(p.words) == 0 {
		return syntax.Word{}
	}
	return p.words[len(p.words)-1]
}

// query returns the source with the text term inserted at the cursor. The returned source
// can be parsed.
func (p *position) query(term string) string {
	switch {
	case p.method:
		term = "." + term
	case p.key:
		term = "_: " + term
	}
	return p.head + term + strings.Repeat("; .", p.extraArguments) + p.frames.closing()
}

// endsTerm reports whether the last of the words may be the end of a term. If it is, no
// other term can follow.
func endsTerm(words []syntax.Word) bool {
	if len(words) == 0 {
		return false
	}
	switch w := words[len(words)-1]; w.Kind {
	case syntax.WordKeyword:
		return slices.Contains([]string{"end", "null", "true", "false"}, w.Text)
	case syntax.WordSign:
		return slices.Contains([]string{")", "]", "}", "?", ".", ".."}, w.Text)
	case syntax.WordStringStart, syntax.WordStringQuery:
		return false
	}
	return true
}
