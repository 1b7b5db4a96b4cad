package shipped

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A Query is a .jq file and what its header declares. The header is the comment
// at the start of the file:
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
//	# blocks: SERVICE FQDN
//	# input: proxy
//	# merge: proxies
//	# example: clusters reviews-v1 --port 9080
//
// Each argument is a variable of the query: $fqdn, $all_states. The word after
// the argument's name declares its type. Words separated by | are the allowed
// values. NUMBER and DURATION are types, and any other word in capitals means a
// text. An argument without such a word is a switch. A switch declared as
// true|false=true is true unless it is switched off. "# args: ns=default,
// within" declares several arguments of type text at once.
//
// "# input: proxy" runs the query for each proxy, with the proxy as its input.
// "# input: mesh and proxy" runs it for the mesh first. Such a query has no
// imports, and its results are objects.
// "# merge: proxies" combines results that differ only in the proxy.
type Query struct {
	Name     string
	Aliases  []string
	Summary  string // what it returns, in one line
	Doc      string // further description; may be empty
	Args     []Argument
	Words    string              // the meaning of the words after the query's name, if the query gets them as $words; if empty, they name proxies
	Output   string              // the default of -o
	Columns  map[string][]string // the columns of its tables by kind; the key "" holds for any kind
	Blocks   []string            // on a terminal that is too narrow for the table, these columns are the first line of each row's block
	Severity string              // the severity of its findings: error, warning or info; empty if the query is not a check
	OfMesh   bool                // with OfProxy: the query is run for the mesh, too
	OfProxy  bool                // the query is run for each proxy, with the proxy as its input
	AllParts bool                // the query reads most sections of every proxy
	Merge    bool                // results that differ only in the proxy are combined into one finding
	Next     string              // the advice in its findings, if a result has none of its own (field next)
	Examples []string            // command lines without the program's name
	Text     string              // the whole file
}

// keys lists the words that may start a line of the header, before a colon.
var keys = []string{"aliases", "args", "blocks", "columns", "words", "output", "severity", "input", "merge", "next", "example"}

var named = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]*$`)

// Read parses the header of a query's file. name is the file's name without
// .jq. A file without a header is a query without arguments. An error describes
// what is wrong with the header.
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

// comment returns the lines of the comment at the start of a text.
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
	inArgs bool // the previous line belongs to an argument
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
	case "blocks":
		h.Blocks = list(value)
	case "words":
		h.Words = value
	case "output":
		h.Output = value
	case "severity":
		if !slices.Contains(Severities(), value) {
			return fmt.Errorf("severity: %q is none of %s", value, strings.Join(Severities(), ", "))
		}
		h.Severity = value
	case "input":
		h.OfProxy, h.OfMesh = true, value == "mesh and proxy"
		if value != "proxy" && !h.OfMesh {
			return fmt.Errorf("input: %q is not proxy, or mesh and proxy", value)
		}
	case "merge":
		if h.Merge = value == "proxies"; !h.Merge {
			return fmt.Errorf("merge: %q is not proxies", value)
		}
	case "next":
		h.Next = value
	case "example":
		h.Examples = append(h.Examples, value)
	}
	return nil
}

// texts parses the arguments in "ns=default, within".
func (h *header) texts(value string) error {
	for _, text := range list(value) {
		name, def, given := strings.Cut(text, "=")
		if err := h.add(Argument{Name: name, Type: Text, Default: def, Given: given}); err != nil {
			return err
		}
	}
	return nil
}

// list splits a list at the commas.
func list(text string) (out []string) {
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// Unknown is the severity of a finding that reports what could not be judged.
// No check declares it in its header.
const Unknown = "unknown"

// Severities returns the severities that a check can declare, the worst first.
func Severities() []string { return []string{"error", "warning", "info"} }
