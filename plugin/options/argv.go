package options

import (
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/plugin/process"
)

// pairFlags are jq's options that take a name and a value: two words, which
// pflag cannot do.
var pairFlags = []string{"--arg", "--argjson", "--slurpfile", "--rawfile"}

// Binding is one --arg and the like, in the order given.
type Binding struct{ Flag, Name, Value string }

// command is a command line with what pflag cannot parse taken out of it.
type CommandLine struct {
	Words      []string // for pflag
	Bindings   []Binding
	Positional []string // behind --args or --jsonargs
	JSON       []bool   // which of them are JSON

	Free  []int // which of the words are no option and no option's value
	Given bool  // an option says what the query is, or that it runs over plain JSON

	Files []string // of queries, that options name
}

// First is the first word that is no option; empty: there is none.
func (c *CommandLine) First() string {
	if len(c.Free) == 0 {
		return ""
	}
	return c.Words[c.Free[0]]
}

// Outspoken puts what is no option last, where none of it is taken for the name
// of a command: the query was given otherwise, or jq's functions have names.
func (c *CommandLine) Outspoken() {
	var options, free []string
	for i, w := range c.Words {
		if slices.Contains(c.Free, i) {
			free = append(free, w)
		} else if w != "--" {
			options = append(options, w)
		}
	}
	c.Words = append(append(options, "--"), free...)
}

// A grammar knows the flags and the commands that words may name.
type grammar interface {
	// valued tells which flag of a word, as it was written, takes a value: its
	// long name, empty if none does, and whether the value is in the word already.
	Valued(word string) (name string, attached bool)

	// choose tells whether the first word names a query, whose flags are known
	// from then on, and whether its name goes on with the next word.
	Choose(word string) (found, more bool)
}

// Split takes jq's two-word options, and all that follows --args and
// --jsonargs, out of the words. Both "--arg name value" and kubectl's manner,
// "--arg name=value" and "--arg=name=value", are understood. The first word
// that is neither an option nor an option's value stays: it is the query.
func Split(args []string, known grammar) (*CommandLine, error) {
	c := &CommandLine{}
	s := splitter{CommandLine: c, args: args, grammar: known}
	for len(s.args) > 0 {
		if err := s.next(); err != nil {
			return nil, err
		}
	}
	return c, nil
}

type splitter struct {
	*CommandLine
	grammar
	args     []string
	rest     bool // behind --args or --jsonargs
	restJSON bool
	waits    bool // the first word was the command wait: the query is the next
	query    bool // the query was seen, or a file names it
	name     bool // the next word is more of a query's name
	end      bool // behind --
}

func (s *splitter) take() string {
	w := s.args[0]
	s.args = s.args[1:]
	return w
}

func (s *splitter) next() error {
	w := s.take()
	flag, value, joined := strings.Cut(w, "=")
	switch {
	case s.end || !isOption(w):
		s.word(w)
	case w == "--":
		s.end = true
		if !s.rest || !s.query {
			s.Words = append(s.Words, w)
		}
	case flag == "--args" || flag == "--jsonargs":
		if joined {
			return process.Usagef("%s takes no value: the words behind it are the values", flag)
		}
		s.rest, s.restJSON = true, w == "--jsonargs"
	case slices.Contains(pairFlags, flag):
		return s.pair(flag, value, joined)
	default:
		s.Words = append(s.Words, w)
		name, attached := s.Valued(w)
		if name == "filename" || name == "query" {
			s.query, s.Given = true, true
		}
		s.Given = s.Given || name == "input" || name == "" && isPlainFlag(flag)
		if name == "filename" && (attached || len(s.args) > 0) {
			s.Files = append(s.Files, s.filename(w, attached))
		}
		if name != "" && !attached && len(s.args) > 0 {
			s.Words = append(s.Words, s.take())
		}
	}
	return nil
}

// isPlainFlag tells whether a flag without a value says that the query runs
// over plain input.
func isPlainFlag(flag string) bool {
	switch flag {
	case "--null-input", "--slurp", "--raw-input", "--stream", "--stream-errors":
		return true
	}
	return len(flag) > 1 && flag[1] != '-' && strings.Contains(flag, "R")
}

// isOption tells an option from a query that begins with a minus sign: as in jq
// one is named by a letter.
func isOption(w string) bool {
	if len(w) < 2 || w[0] != '-' {
		return false
	}
	c := w[1] | 0x20
	return w[1] == '-' || 'a' <= c && c <= 'z'
}

// filename is the value of the option -f, as it was written: -f x, -cfx, -f=x,
// --filename=x.
func (s *splitter) filename(w string, attached bool) string {
	switch {
	case !attached:
		return s.args[0]
	case strings.HasPrefix(w, "--"):
		return w[strings.IndexByte(w, '=')+1:]
	}
	return strings.TrimPrefix(w[strings.IndexByte(w, 'f')+1:], "=")
}

// word is a word that is no option: the query first, whatever stands around it.
func (s *splitter) word(w string) {
	if s.rest && s.query {
		s.Positional = append(s.Positional, w)
		s.JSON = append(s.JSON, s.restJSON)
		return
	}
	s.Free = append(s.Free, len(s.Words))
	s.Words = append(s.Words, w)
	switch first := !s.waits && !s.query; {
	case first && w == WaitName:
		s.waits = true
		return
	case first && !s.end || s.name:
		_, s.name = s.Choose(w)
	}
	s.query = true
}

func (s *splitter) pair(flag, value string, joined bool) error {
	if !joined {
		if len(s.args) == 0 {
			return process.Usagef("%s takes a name and a value: %s name value", flag, flag)
		}
		value = s.take()
	}
	name, v, ok := strings.Cut(value, "=")
	if !ok || !IsName(name) {
		if joined || len(s.args) == 0 {
			return process.Usagef("%s takes a name and a value: %s name value", flag, flag)
		}
		name, v = value, s.take()
	}
	if !IsName(name) {
		return process.Usagef("%s: %q is not a variable's name", flag, name)
	}
	s.Bindings = append(s.Bindings, Binding{flag, name, v})
	return nil
}

// IsName tells whether jq could have a variable of that name.
func IsName(s string) bool {
	for i, c := range []byte(s) {
		letter := c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}
