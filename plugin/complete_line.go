package plugin

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/plugin/shell"
	"github.com/meshq/kubectl-meshq/printers/safe"
	"github.com/spf13/cobra"
)

// lineRequest asks for the completions of a command line as it stands in a
// shell, quotes and all. kubectl's own scripts have the shell read the line
// first, which it can't while a quote is open. Behind it stand the shell, how
// many words are the program's name, how the completions are wanted (bash's
// COMP_TYPE; "" where there is no such thing), the width of the terminal, the
// end of the line that will be replaced, and the line up to the cursor.
const lineRequest = "__complete-line"

// A lineAsked is such a request.
type lineAsked struct {
	shell string
	kind  string
	width int
	tail  string // what is replaced: the end of the line
	line  string
}

// bash's COMP_TYPE where completions are only listed, and where one after the
// other is put in.
const (
	onlyListed = "63"
	inTurn     = "37"
)

// record ends each record of the answer: none of its texts has it.
const record = "\x1e"

// completeLine prints the options of the answer ("nospace", "files", "folders"),
// then a record for each completion: what is put in place of the tail; for zsh
// behind a tab what is shown.
func completeLine(ctx context.Context, w *process.World, args []string) int {
	if len(args) != 6 {
		return process.ExitUsage
	}
	w.Allow(safe.Allowed{Marks: record})
	skip, err := strconv.Atoi(args[1])
	width, e := strconv.Atoi(args[3])
	if err != nil || e != nil {
		return process.ExitUsage
	}
	asked := lineAsked{shell: args[0], kind: args[2], width: width, tail: args[4], line: args[5]}
	if !strings.HasSuffix(asked.line, asked.tail) {
		return process.ExitUsage
	}
	words := shell.ShellWords(asked.line, w.Env)
	last := words[len(words)-1]
	if len(words) <= skip || last.Quote == shell.AnsiQuote {
		return process.ExitOK
	}
	if last.Redirect {
		fmt.Fprint(w.Out, "files"+record)
		return process.ExitOK
	}
	var before []string
	for _, word := range words[skip:] {
		if !word.Redirect {
			before = append(before, word.Text)
		}
	}
	fmt.Fprint(w.Out, asked.answer(last, offersOf(ctx, w, before)))
	return process.ExitOK
}

// offers are the completions of a command line's last word.
type offers struct {
	directive cobra.ShellCompDirective
	from      int // of the word, what stays
	texts     []string
	docs      []string
}

// offers asks for the completions of the last word, without what it says about
// them on the way.
func offersOf(ctx context.Context, w *process.World, words []string) offers {
	var out bytes.Buffer
	world := *w
	world.In, world.Out, world.Err, world.ErrTerminal, world.Requotes = strings.NewReader(""), &out, io.Discard, false, true
	last := len(words) - 1
	words[last] = strings.NewReplacer("\n", " ", "\t", " ", record, " ").Replace(words[last])
	query, _ := completeLast(ctx, &world, cobra.ShellCompRequestCmd, words)
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	o := offers{from: flagged(words[last])}
	if n, err := strconv.Atoi(strings.TrimPrefix(lines[len(lines)-1], ":")); err == nil {
		o.directive = cobra.ShellCompDirective(n)
	}
	if query != nil { // as they are, not as lines
		o.from += query.From
		for _, c := range query.Candidates {
			if safe.IsLine(c.Text) {
				o.texts, o.docs = append(o.texts, c.Text), append(o.docs, process.OneLine(c.Doc))
			}
		}
		return o
	}
	for _, line := range lines[:len(lines)-1] {
		text, doc, _ := strings.Cut(line, "\t")
		o.texts, o.docs = append(o.texts, text), append(o.docs, process.OneLine(doc))
	}
	return o
}

// flagged is how long the name of a flag is in front of its value in one word,
// --query=.pro: what was completed is the value.
func flagged(word string) int {
	if !strings.HasPrefix(word, "-") {
		return 0
	}
	return strings.IndexByte(word, '=') + 1
}

// answer writes the completions as the shell takes them.
func (a lineAsked) answer(word shell.ShellWord, o offers) string {
	var b strings.Builder
	var options []string
	switch {
	case o.directive&cobra.ShellCompDirectiveFilterDirs != 0:
		return "folders" + record
	case o.directive&cobra.ShellCompDirectiveNoFileComp == 0:
		return "files" + record
	case o.directive&cobra.ShellCompDirectiveNoSpace != 0:
		options = append(options, "nospace")
	}
	stays := a.line[:word.Places[min(o.from, len(word.Places)-1)]]
	tail := len(a.line) - len(a.tail)
	b.WriteString(strings.Join(options, " ") + record)
	for i, shown := range o.shown(a.width) {
		line := stays + shell.Requoted(o.texts[i], word.Quote)
		if len(line) < tail {
			continue
		}
		switch text := line[tail:]; {
		case a.kind == onlyListed:
			b.WriteString(shown + record)
		case a.shell == "zsh":
			b.WriteString(text + "\t" + shown + record)
		default:
			b.WriteString(text + record)
			if word.Quote != 0 && a.kind != inTurn && len(o.texts) == 1 && options != nil {
				b.WriteString(text + " " + record) // bash would close the quote behind one alone
			}
		}
	}
	return b.String()
}

// shown is how the completions are listed: each with what it is, where the
// terminal is wide enough.
func (o offers) shown(width int) []string {
	longest := 0
	for _, t := range o.texts {
		longest = max(longest, utf8.RuneCountInString(t))
	}
	all := make([]string, len(o.texts))
	for i, t := range o.texts {
		all[i] = t
		room := width - longest - 5
		doc := []rune(o.docs[i])
		if len(doc) == 0 || room < 10 {
			continue
		}
		if len(doc) > room {
			doc = append(doc[:room-1], '…')
		}
		all[i] += strings.Repeat(" ", longest-utf8.RuneCountInString(t)) + "  (" + string(doc) + ")"
	}
	return all
}
