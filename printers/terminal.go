package printers

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/meshq/kubectl-meshq/printers/columns"
	"github.com/meshq/kubectl-meshq/printers/encode"
	"github.com/meshq/kubectl-meshq/printers/fit"
)

// fitColumn describes a column for its layout on a terminal.
func fitColumn(c columns.Column) fit.Column {
	worth, least := columns.Worth(c.Header)
	return fit.Column{Header: c.Header, Worth: worth, Min: least, State: c.Alarm}
}

// fitted returns the lines of the block so that they fit the terminal. A note
// names the columns that are left out.
func (b *block) fitted(lines [][]string, alarm []bool) ([][]string, []bool) {
	if b.layout == nil {
		b.layout = fit.New(b.opts.Width, b.headers, lines)
		if b.grid.header != nil {
			b.grid.header = b.layout.Header()
		}
		if hidden := b.layout.Hidden(); len(hidden) > 0 {
			b.hidden = hidden
		}
	}
	shown := make([]bool, 0, len(alarm))
	for _, i := range b.layout.Shown() {
		shown = append(shown, alarm[i])
	}
	return b.layout.Rows(lines), shown
}

// noteHidden tells which columns of the finished block were left out.
func (b *block) noteHidden() {
	if len(b.hidden) == 0 || b.opts.Note == nil {
		return
	}
	what := "column"
	if len(b.hidden) > 1 {
		what = "columns"
	}
	const before = len("note: ") // what precedes a note on its line
	b.opts.Note(fit.Cut(fmt.Sprintf("%d %s hidden: -o wide (%s)", len(b.hidden), what, strings.Join(b.hidden, ", ")), b.opts.Width-before))
}

// indent precedes the lines below the first one of a row that is printed as a
// block.
const indent = "    "

// upright returns the rows as blocks of lines, one block per row. It does so
// for a table that is too wide for the terminal if the options say which
// columns are the first line of a block, or if the table has a single row.
func (b *block) upright(cols []columns.Column, rows []columns.Row, shown []int) (string, bool) {
	of := make([]fit.Column, len(shown))
	cells := make([][]string, len(rows))
	for k, i := range shown {
		of[k] = fitColumn(cols[i])
		for r := range rows {
			cells[r] = append(cells[r], rows[r][i])
		}
	}
	if len(rows) == 0 || fit.Fits(b.opts.Width, of, cells) {
		return "", false
	}
	headers := b.opts.Blocks
	if b.kind != nil {
		headers = b.kind.Head
	}
	var head []int
	for k, i := range shown {
		if slices.Contains(headers, cols[i].Header) || b.kind == nil && cols[i].Header == "OF" && differ(rows, i) {
			head = append(head, k)
		}
	}
	var text strings.Builder
	if b.hasOutputAbove {
		text.WriteByte('\n')
	}
	switch {
	case len(headers) > 0:
		b.writeBlocks(&text, fit.Blocks(b.opts.Width, of, withoutConstant(of, cells), head, columns.None, "-", ""))
	case len(rows) == 1 && !b.compressible(of, cells):
		b.writeFields(&text, of, cells[0])
	default:
		return "", false
	}
	return text.String(), true
}

// compressible reports whether a table fits the terminal once its names are
// shortened: nothing has to be cut.
func (b *block) compressible(of []fit.Column, cells [][]string) bool {
	l := fit.New(b.opts.Width, of, cells)
	if len(l.Hidden()) > 0 {
		return false
	}
	for _, line := range l.Rows(cells) {
		if slices.ContainsFunc(line, func(cell string) bool { return strings.HasSuffix(cell, "…") }) {
			return false
		}
	}
	return true
}

// withoutConstant empties the cells of a column OF that is the same in all
// rows, because the user named that object.
func withoutConstant(of []fit.Column, cells [][]string) [][]string {
	at := slices.IndexFunc(of, func(c fit.Column) bool { return c.Header == "OF" })
	if at < 0 {
		return cells
	}
	for _, line := range cells {
		if line[at] != cells[0][at] {
			return cells
		}
	}
	out := make([][]string, len(cells))
	for r, line := range cells {
		out[r] = slices.Clone(line)
		out[r][at] = ""
	}
	return out
}

func differ(rows []columns.Row, at int) bool {
	return slices.ContainsFunc(rows, func(r columns.Row) bool { return r[at] != rows[0][at] })
}

// writeBlocks writes rows as blocks. The first cells of the heads are aligned.
func (b *block) writeBlocks(text *strings.Builder, blocks []fit.Block) {
	first := 0
	for _, one := range blocks {
		if len(one.Head) > 0 {
			first = max(first, utf8.RuneCountInString(one.Head[0]))
		}
	}
	for _, one := range blocks {
		for n := len(one.Head); n > 1 && headWidth(one.Head[:n], first) > b.opts.Width; n = len(one.Head) {
			one.Body = append([]string{one.Head[n-1]}, one.Body...)
			one.Head = one.Head[:n-1]
		}
		for i, cell := range one.Head {
			pad := ""
			if i == 0 && len(one.Head) > 1 {
				pad = strings.Repeat(" ", first-utf8.RuneCountInString(cell))
			}
			if i > 0 {
				text.WriteString("  ")
			}
			if i == 0 && b.opts.Color {
				cell = painted(cell)
			}
			text.WriteString(cell + pad)
		}
		text.WriteByte('\n')
		for _, body := range one.Body {
			for _, line := range fit.Wrap(body, b.opts.Width-len(indent)) {
				text.WriteString(indent + line + "\n")
			}
		}
	}
}

// headWidth returns the width of a block's first line, of which the first cell
// is padded to a width.
func headWidth(cells []string, first int) int {
	n := first
	for _, cell := range cells[1:] {
		n += 2 + utf8.RuneCountInString(cell)
	}
	return n
}

// writeFields writes the only row of a table as one line per column, with long
// cells wrapped.
func (b *block) writeFields(text *strings.Builder, of []fit.Column, cells []string) {
	width := 0
	for _, c := range of {
		width = max(width, utf8.RuneCountInString(c.Header))
	}
	for i, c := range of {
		lines := fit.Wrap(cells[i], max(b.opts.Width-width-3, 20))
		for n, line := range lines {
			head := c.Header
			if n > 0 {
				head = ""
			}
			if n == 0 && b.opts.Color && c.State {
				line = painted(line)
			}
			text.WriteString(head + strings.Repeat(" ", width-utf8.RuneCountInString(head)+3) + line + "\n")
		}
	}
}

// painted returns a cell in the colour of its first word.
func painted(cell string) string {
	switch word, _, _ := strings.Cut(cell, " "); {
	case slices.Contains(failing, word):
		return encode.Red(cell)
	case slices.Contains(doubtful, word):
		return encode.Yellow(cell)
	}
	return cell
}

// failing are the words of states and severities that are printed in red.
var failing = []string{"ERROR", "REJECTED", "UNHEALTHY", "FAILED", "error"}

// doubtful are the words of states and severities that are printed in yellow.
var doubtful = []string{"STALE", "WARMING", "DRAINING", "UNKNOWN", "warning", "unknown"}
