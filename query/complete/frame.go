package complete

import (
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/query/syntax"
)

// A frame is something that was opened and isn't closed.
type frame struct {
	opened  string      // "(", "[", "{", "\"", "\\(", "if", "def", "reduce", "foreach"; "reduce(" for the bracket of these
	before  syntax.Word // what stands in front of a bracket
	call    string      // of a bracket: the function whose arguments stand in it; empty: it has none
	arg     int         // how many semicolons there were
	state   string      // of "if": cond, then, else; of "def": head, body; of "reduce": source, as
	key     bool        // of "{": what comes is a key
	pattern bool        // names are given here, not used
	nested  bool        // all of it is a pattern
}

// keyed tells whether a key comes next in an object construction.
func (f frame) keyed() bool { return f.opened == "{" && f.key }

// named tells whether a name comes next that is a new one.
func (f frame) named() bool { return f.opened == "def" && f.state == "head" }

type frames []frame

func (s frames) top() frame {
	if len(s) == 0 {
		return frame{}
	}
	return s[len(s)-1]
}

// open gives what the words leave open.
func open(words []syntax.Word) frames {
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
	if s.top().keyed() {
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
			*s = frames{{opened: "", pattern: true}} // the query itself
		}
	}
}

// within changes the innermost frame of a kind, if it is the last one.
func (s *frames) within(opened string, change func(*frame)) {
	if n := len(*s); n > 0 && (*s)[n-1].opened == opened {
		change(&(*s)[n-1])
	}
}

func (s *frames) sign(w, before syntax.Word) {
	n := len(*s)
	switch w.Text {
	case "(":
		s.bracket(w, before)
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
		s.used()
	case ";":
		s.used()
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

// used ends a pattern: from here on names are used.
func (s *frames) used() {
	if n := len(*s); n > 0 && !(*s)[n-1].nested {
		(*s)[n-1].pattern = false
	}
}

// bracket opens a round bracket: of a call, of reduce, or of nothing else.
func (s *frames) bracket(w, before syntax.Word) {
	f := frame{opened: "(", before: before}
	top := s.top()
	switch {
	case top.state == "as" && (top.opened == "reduce" || top.opened == "foreach"):
		f.opened = top.opened + "("
		(*s)[len(*s)-1].pattern = false
	case top.named():
		f.pattern, f.nested = true, true
	case before.Kind == syntax.WordName || before.Kind == syntax.WordField && before.End == w.Start:
		f.call = strings.TrimPrefix(before.Text, ".")
	}
	*s = append(*s, f)
}

// close ends the innermost frame of these kinds, and all that was left open in
// it. The bracket of reduce ends it, too.
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

// closed is what ends all that is open.
func (s frames) closed() string {
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
		if within.keyed() {
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
