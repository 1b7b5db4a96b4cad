package shipped

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A Query is a .jq file with what its header says of it. The header is the
// comment that the file begins with:
//
//	# clusters: where each proxy sends requests to.
//	# A line or more about it.
//	#
//	#   --fqdn TEXT          only clusters whose name holds this text
//	#   --port, -p NUMBER    only clusters of this port
//	#   --within DURATION=72h
//	#   --direction inbound|outbound
//	#   --all-states         warming ones, too
//	#
//	# aliases: cluster, c
//	# output: wide
//	# columns: SERVICE FQDN, PORT
//	# example: clusters reviews-v1 --port 9080
//
// An argument is a variable of the query: $fqdn, $all_states. What follows its
// name says what it takes: words with | between them are all that it may be,
// NUMBER and DURATION are such, any other capitals a text, and nothing makes
// it true or false, as true|false=true does: that one is true unless it is
// switched off. "# args: ns=default, within" names several texts at once.
type Query struct {
	Name     string
	Aliases  []string
	Summary  string // what it gives, in a line
	Doc      string // more about it; may be empty
	Args     []Argument
	Words    string              // what the words behind the name are, when the query takes them itself, as $words; empty: proxies
	Output   string              // the -o that is meant when none is given
	Columns  map[string][]string // the columns of its tables, by kind; "" is any kind
	Severity string              // of what it finds: error, warning or info; empty: it looks for nothing wrong
	Next     string              // what to do about what it finds
	Examples []string            // the words behind the program's name
	Text     string              // the whole file
}

// keys are the words that a line of a header may begin with, and a colon.
var keys = []string{"aliases", "args", "columns", "words", "output", "severity", "next", "example"}

var named = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]*$`)

// Read reads the header of a query's file. A file without one is a query that
// takes no arguments; the name is the file's, without .jq. An error tells what
// is wrong with the header.
func Read(name, text string) (Query, error) {
	h := header{Query: Query{Name: name, Text: text}}
	for number, line := range comment(text) {
		if err := h.line(line); err != nil {
			return Query{}, fmt.Errorf("%s:%d: %w", name, number+1, err)
		}
	}
	h.Doc = strings.TrimSpace(strings.Join(h.doc, "\n"))
	return h.Query, nil
}

// comment gives the lines of the comment that a text begins with.
func comment(text string) (lines []string) {
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \t\r\n")
		if !strings.HasPrefix(line, "#") {
			break
		}
		lines = append(lines, strings.TrimPrefix(line, "#"))
	}
	return lines
}

type header struct {
	Query
	doc    []string
	inArgs bool // the line before was about an argument
}

func (h *header) line(line string) error {
	said := strings.TrimSpace(line)
	key, value, keyed := strings.Cut(said, ":")
	of, kind, _ := strings.Cut(key, " ")
	value = strings.TrimSpace(value)
	deep := strings.HasPrefix(line, "      ")
	switch {
	case strings.HasPrefix(said, "--"):
		return h.argument(said)
	case h.inArgs && deep:
		last := &h.Args[len(h.Args)-1]
		last.Doc = strings.TrimSpace(last.Doc + " " + said)
		return nil
	case keyed && slices.Contains(keys, of) && (kind == "" || of == "columns"):
		h.inArgs = false
		return h.keyed(of, kind, value)
	case h.Summary == "" && keyed && key == h.Name:
		h.Summary = value
	case h.Summary == "":
		h.Summary = said
	default:
		h.doc = append(h.doc, said)
	}
	h.inArgs = false
	return nil
}

func (h *header) keyed(key, kind, value string) error {
	switch key {
	case "aliases":
		h.Aliases = list(value)
		for _, alias := range h.Aliases {
			if !named.MatchString(alias) {
				return fmt.Errorf("aliases: %q is no name", alias)
			}
		}
	case "args":
		return h.texts(value)
	case "columns":
		if h.Columns == nil {
			h.Columns = map[string][]string{}
		}
		h.Columns[kind] = list(value)
	case "words":
		h.Words = value
	case "output":
		h.Output = value
	case "severity":
		if !slices.Contains(Severities(), value) {
			return fmt.Errorf("severity: %q is none of %s", value, strings.Join(Severities(), ", "))
		}
		h.Severity = value
	case "next":
		h.Next = value
	case "example":
		h.Examples = append(h.Examples, value)
	}
	return nil
}

// texts reads "ns=default, within".
func (h *header) texts(value string) error {
	for _, text := range list(value) {
		name, def, given := strings.Cut(text, "=")
		if err := h.add(Argument{Name: name, Type: Text, Default: def, Given: given}); err != nil {
			return err
		}
	}
	return nil
}

// list takes a list apart: a, b.
func list(text string) (out []string) {
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// Unknown is the severity of a finding that says what could not be judged. No
// check has it of its own.
const Unknown = "unknown"

// Severities are the words for how bad something is, the worst first.
func Severities() []string { return []string{"error", "warning", "info"} }
