package options

import (
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/plugin/process"
)

// pairFlags are the options of jq that take a name and a value as two words. pflag
// doesn't support such options.
var pairFlags = []string{"--arg", "--argjson", "--slurpfile", "--rawfile"}

// A Binding is the name and the value of one --arg, --argjson, --slurpfile or
// --rawfile option.
type Binding struct{ Flag, Name, Value string }

// A CommandLine is a command line after Split has removed the parts that pflag
// can't parse.
type CommandLine struct {
	Words      []string // the words that pflag parses
	Bindings   []Binding
	Positional []string // the words after --args or --jsonargs
	JSON       []bool   // for each word of Positional, true if it is JSON and false if it is a plain string

	Free  []int // the indexes in Words of the words that are neither options nor the values of options
	Given bool  // true if an option selects the query, or makes it run over plain JSON

	Files []string // the query files that are named by -f options
}

// First returns the first word that is not an option. It returns "" if there is
// none.
func (c *CommandLine) First() string {
	if len(c.Free) == 0 {
		return ""
	}
	return c.Words[c.Free[0]]
}

// Outspoken moves the words that are not options after "--", so that cobra doesn't
// take one of them for a subcommand. It is called if an option such as -f selects
// the query, so that no word is one.
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

// A grammar has the flags and the names of queries, with which Split distinguishes
// the words of a command line.
type grammar interface {
	// Valued returns the long name of the flag in a word, such as -ojson, if that
	// flag takes a value, or else "". attached reports whether the word also
	// contains the value.
	Valued(word string) (name string, attached bool)

	// Choose reports whether a word is the name of a query. If it is, later calls
	// of Valued include the flags of that query. more reports whether the next word
	// may be another part of the name.
	Choose(word string) (found, more bool)
}

// Split removes jq's two-word options, and everything after --args and --jsonargs,
// from a command line. It accepts "--arg name value", "--arg name=value" and
// "--arg=name=value". The first word that is neither an option nor an option's
// value is the query; it stays in Words.
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
	rest     bool // true after --args or --jsonargs: later words are positional arguments
	restJSON bool
	waits    bool // true if the first word was the command wait: the next word is the query
	query    bool // true if the query was read, or if an option selects it
	name     bool // true if the next word may be another part of the query's name
	end      bool // true after "--": no later word is an option
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

// isPlainFlag reports whether a flag that takes no value makes the query run over
// plain input.
func isPlainFlag(flag string) bool {
	switch flag {
	case "--null-input", "--slurp", "--raw-input", "--stream", "--stream-errors":
		return true
	}
	return len(flag) > 1 && flag[1] != '-' && strings.Contains(flag, "R")
}

// isOption reports whether a word is an option. A query may begin with a minus sign
// too, but the name of an option begins with a letter.
func isOption(w string) bool {
	if len(w) < 2 || w[0] != '-' {
		return false
	}
	c := w[1] | 0x20
	return w[1] == '-' || 'a' <= c && c <= 'z'
}

// filename returns the value of the option -f. The option may be written as -f x,
// -cfx, -f=x or --filename=x.
func (s *splitter) filename(w string, attached bool) string {
	switch {
	case !attached:
		return s.args[0]
	case strings.HasPrefix(w, "--"):
		return w[strings.IndexByte(w, '=')+1:]
	}
	return strings.TrimPrefix(w[strings.IndexByte(w, 'f')+1:], "=")
}

// word handles a word that is not an option. The first such word is the query.
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

// IsName reports whether s is a valid name of a variable in jq.
func IsName(s string) bool {
	for i, c := range []byte(s) {
		letter := c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}
