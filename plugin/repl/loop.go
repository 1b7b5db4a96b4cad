package repl

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/reeflective/readline"
	"github.com/reeflective/readline/inputrc"

	"github.com/meshq/kubectl-meshq/plugin/process"
)

// A Candidate is a text that replaces the end of a line.
type Candidate struct{ Text, Doc string }

// Options are what a loop needs of its caller.
type Options struct {
	*process.World

	// Run runs a line. An interrupt ends its context, and not the loop.
	Run func(ctx context.Context, line string)

	// Complete returns the candidates that may replace a line from an offset on.
	Complete func(ctx context.Context, line string) (from int, all []Candidate)

	// Hint returns a short text about a line that is being typed. It is called at
	// each key, so it reads nothing.
	Hint func(line string) string

	// Incomplete reports whether a line continues on the next one.
	Incomplete func(line string) bool

	// Number returns the number of the next query, for the prompt.
	Number func() int

	// History is the file of the history; empty: none is kept.
	History string
}

// Loop reads and runs lines until the end of input, ":quit", or the end of ctx.
// Without a terminal, it reads a line, or several lines of one query, at a time.
func Loop(ctx context.Context, o Options) error {
	if o.InTerminal && o.OutTerminal {
		return o.interactive(ctx)
	}
	lines := bufio.NewScanner(o.In)
	lines.Buffer(nil, 16<<20)
	text := ""
	for ctx.Err() == nil && lines.Scan() {
		text += lines.Text()
		if o.Incomplete(text) {
			text += "\n"
			continue
		}
		if isQuit(text) {
			return nil
		}
		o.one(ctx, text)
		text = ""
	}
	if strings.TrimSpace(text) != "" {
		o.one(ctx, text)
	}
	return errors.Join(lines.Err(), ctx.Err())
}

// one runs a line. An interrupt ends the line.
func (o *Options) one(ctx context.Context, line string) {
	if strings.TrimSpace(line) == "" {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer o.Interrupts.Take(cancel)()
	o.Run(ctx, line)
}

func isQuit(line string) bool {
	switch strings.TrimSpace(line) {
	case ":quit", ":q", ":exit", "exit", "quit":
		return true
	}
	return false
}

// interactive is the loop on a terminal.
func (o *Options) interactive(ctx context.Context) error {
	editor := readline.NewShell(inputrc.WithApp("meshq"))
	// The editor would ask the terminal for the position of the cursor at each key,
	// and lose keys that arrive together with the answer. The prompt begins at the
	// first column, so it needn't ask.
	if err := editor.Config.Set("cursor-position-probe", false); err != nil {
		return err
	}
	editor.Prompt.Primary(func() string { return fmt.Sprintf("meshq %d> ", o.Number()) })
	editor.Prompt.Secondary(func() string { return "        > " })
	editor.AcceptMultiline = func(line []rune) bool { return !o.Incomplete(string(line)) }
	editor.Completer = func(line []rune, cursor int) readline.Completions { return o.candidates(ctx, string(line[:cursor])) }
	editor.Hint.SetProvider(func(line []rune, cursor int) []rune {
		if cursor < len(line) || len(line) == 0 {
			return nil
		}
		return []rune(o.Hint(string(line)))
	})
	if o.History != "" && os.MkdirAll(filepath.Dir(o.History), 0o700) == nil {
		editor.History.AddFromFile("queries", o.History)
	}
	for ctx.Err() == nil {
		line, err := editor.Readline()
		switch {
		case errors.Is(err, readline.ErrInterrupt):
			continue // Ctrl-C clears the line
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case isQuit(line):
			return nil
		}
		o.one(ctx, line)
	}
	return ctx.Err()
}

// candidates returns the completions of a line that ends at the cursor. The editor
// replaces the word before the cursor, so each candidate is the whole word.
func (o *Options) candidates(ctx context.Context, line string) readline.Completions {
	from, all := o.Complete(ctx, line)
	begin := from
	if from == len(line) { // an empty prefix would mean the word before the cursor
		_, size := utf8.DecodeLastRuneInString(line)
		begin -= size
	}
	var out []readline.Completion
	for _, c := range all {
		out = append(out, readline.Completion{Value: line[begin:from] + c.Text, Display: c.Text, Description: c.Doc})
	}
	list := readline.CompleteRaw(out)
	list.PREFIX = line[begin:]
	return list
}
