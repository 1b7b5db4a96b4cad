package complete

import (
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/query/syntax"
)

// frame is an open bracket, string or keyword that encloses the cursor.
type frame struct {
	// opened is the opening token: "(", "[", "{", "\"", "\\(", "if", "def", "reduce" or
	// "foreach". It is "reduce(" or "foreach(" for the opening bracket of these keywords.
	opened string
	before syntax.Word // the word before the opening bracket
	call   string      // name of the called function, if the bracket contains arguments; empty otherwise
	arg    int         // index of the argument at the cursor, which is the number of semicolons before it
	// state is the current part of a keyword's expression: cond, then or else (for "if");
	// head or body (for "def"); source or as (for "reduce" and "foreach").
	state   string
	key     bool // for "{": whether the next token is a key
	pattern bool // whether the cursor is in a pattern, which defines names instead of using them
	nested  bool // whether the brackets or the keyword are themselves inside a pattern, such as $x in "as [$x]"
}

// expectsKey reports whether the next token is the key of an object construction.
func (f frame) expectsKey() bool { return f.opened == "{" && f.key }

// expectsNewName reports whether the next token is the name of a function or parameter
// that is being defined.
func (f frame) expectsNewName() bool { return f.opened == "def" && f.state == "head" }

type frames []frame

func (s frames) top() frame {
	if len(s) == 0 {
		return frame{}
	}
	return s[len(s)-1]
}

// openFrames returns the frames (brackets, strings and keywords) that are still open
// after the given words.
func openFrames(words []syntax.Word) frames {
	var s frames
	for i, w := range words {
		before := syntax.Word{}
		if i > 0 {
			before = words[i-1]
		}
		switch w.Kind {
		case syntax.WordKeyword:
			s.keyword(w.Text)
		case syntax.WordSign:
			s.sign(w, before)
		case syntax.WordStringStart:
			s = append(s, frame{opened: `"`})
		case syntax.WordStringQuery:
			s = append(s, frame{opened: `\(`})
		case syntax.WordStringEnd:
			s.close(`"`)
		}
	}
	return s
}

func (s *frames) keyword(word string) {
	if s.top().expectsKey() {
		return
	}
	switch word {
	case "if":
		*s = append(*s, frame{opened: "if", state: "cond"})
	case "then", "else":
		s.within("if", func(f *frame) { f.state = word })
	case "elif":
		s.within("if", func(f *frame) { f.state = "cond" })
	case "end":
		s.close("if")
	case "def":
		*s = append(*s, frame{opened: "def", state: "head"})
	case "reduce", "foreach":
		*s = append(*s, frame{opened: word, state: "source"})
	case "as":
		if n := len(*s); n > 0 && (s.top().opened == "reduce" || s.top().opened == "foreach") {
			(*s)[n-1].state, (*s)[n-1].pattern = "as", true
		} else if n > 0 {
			(*s)[n-1].pattern = true
		} else {
			*s = frames{{opened: "", pattern: true}} // the outermost frame, which is the query itself
		}
	}
}

// within calls change for the innermost frame, but only if that frame was opened by the
// given token.
func (s *frames) within(opened string, change func(*frame)) {
	if n := len(*s); n > 0 && (*s)[n-1].opened == opened {
		change(&(*s)[n-1])
	}
}

func (s *frames) sign(w, before syntax.Word) {
	n := len(*s)
	switch w.Text {
	case "(":
		s.openBracket(w, before)
	case "[", "{":
		within := s.top().pattern
		*s = append(*s, frame{opened: w.Text, before: before, key: w.Text == "{", pattern: within, nested: within})
	case ")":
		s.close("(", "reduce(", "foreach(", `\(`)
	case "]":
		s.close("[")
	case "}":
		s.close("{")
	case "|":
		s.endPattern()
	case ";":
		s.endPattern()
		if s.top().opened == "def" && s.top().state == "body" {
			*s = (*s)[:n-1]
		} else if n > 0 {
			(*s)[n-1].arg++
		}
	case ":":
		s.within("def", func(f *frame) { f.state = "body" })
		s.within("{", func(f *frame) { f.key = false })
	case ",":
		s.within("{", func(f *frame) { f.key = true })
	}
}

// endPattern records that a pattern has ended, so that the following names are used, not
// defined.
func (s *frames) endPattern() {
	if n := len(*s); n > 0 && !(*s)[n-1].nested {
		(*s)[n-1].pattern = false
	}
}

// openBracket adds a frame for an opening round bracket. The bracket may belong to a
// call, a def or a reduce.
func (s *frames) openBracket(w, before syntax.Word) {
	f := frame{opened: "(", before: before}
	top := s.top()
	switch {
	case top.state == "as" && (top.opened == "reduce" || top.opened == "foreach"):
		f.opened = top.opened + "("
		(*s)[len(*s)-1].pattern = false
	case top.expectsNewName():
		f.pattern, f.nested = true, true
	case before.Kind == syntax.WordName || before.Kind == syntax.WordField && before.End == w.Start:
		f.call = strings.TrimPrefix(before.Text, ".")
	}
	*s = append(*s, f)
}

// close removes the innermost frame that was opened by one of the given tokens, and all
// frames inside it. With the bracket of a reduce, it also removes the frame of the
// reduce.
func (s *frames) close(opened ...string) {
	for i := len(*s) - 1; i >= 0; i-- {
		if !slices.Contains(opened, (*s)[i].opened) {
			continue
		}
		whole := (*s)[i].opened
		*s = (*s)[:i]
		if i > 0 && whole == (*s)[i-1].opened+"(" {
			*s = (*s)[:i-1]
		}
		return
	}
}

// closing returns the source text that closes all open brackets, strings and keywords.
func (s frames) closing() string {
	var b strings.Builder
	for i := len(s) - 1; i >= 0; i-- {
		within := frame{}
		if i > 0 {
			within = s[i-1]
		}
		b.WriteString(s[i].end(within))
	}
	return b.String()
}

func (f frame) end(within frame) string {
	switch f.opened {
	case "(":
		if within.expectsKey() {
			return "): ."
		}
		return ")"
	case `\(`:
		return ")"
	case "[":
		return "]"
	case "{":
		return "}"
	case `"`:
		return `"`
	case "if":
		if f.state == "cond" {
			return " then . end"
		}
		return " end"
	case "reduce", "foreach":
		if f.state == "source" {
			return " as $__it (.; .)"
		}
	case "reduce(", "foreach(":
		if f.arg == 0 {
			return "; .)"
		}
		return ")"
	case "def":
		return "; ."
	}
	return ""
}
