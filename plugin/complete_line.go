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

// lineRequest is the name of the hidden command that completes a command line with
// its quotes, as the user typed it. kubectl's own scripts let the shell split the
// line first, which fails while a quote is open. The arguments of the command are:
// the name of the shell, the number of words in the program's name, the kind of
// completion (COMP_TYPE in bash, else ""), the width of the terminal in columns,
// the end of the line that the completion replaces, and the line up to the cursor.
const lineRequest = "__complete-line"

// A lineAsked contains the arguments of the command lineRequest, which completes a
// command line.
type lineAsked struct {
	shell string
	kind  string
	width int
	tail  string // the end of the line, which the completion replaces
	line  string
}

// These are values of bash's COMP_TYPE. With onlyListed, bash lists completions
// without inserting any. With inTurn, it inserts one completion after the other.
const (
	onlyListed = "63"
	inTurn     = "37"
)

// record is the separator after each record of the output. No text contains it.
const record = "\x1e"

// completeLine prints the options of the completion ("nospace", "files" or
// "folders"), then one record for each completion. The record contains the text
// that replaces the end of the line. For zsh, a tab and the text to list follow.
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

// offers contains the completions of the last word of a command line.
type offers struct {
	directive cobra.ShellCompDirective
	from      int // the number of bytes at the start of the word that stay unchanged
	texts     []string
	docs      []string
}

// offersOf returns completions of the last word. It discards error messages.
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
	if query != nil { // use the candidates themselves, because the printed lines are changed for the shell
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

// flagged returns the length of "--name=" in a word such as --query=.pro. Only the
// rest of the word is completed. It returns 0 for other words.
func flagged(word string) int {
	if !strings.HasPrefix(word, "-") {
		return 0
	}
	return strings.IndexByte(word, '=') + 1
}

// answer returns the completions in the format that the shell's script reads.
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
				b.WriteString(text + " " + record) // bash closes the quote after a single completion; a second one prevents that
			}
		}
	}
	return b.String()
}

// shown returns the texts to list. Each text has its description if the terminal is
// wide enough for all of them.
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
