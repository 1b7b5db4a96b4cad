package printers

import (
	"bytes"
	"io"
	"strings"

	"k8s.io/cli-runtime/pkg/printers"
)

// A grid aligns cells in columns, as kubectl does. A column never becomes
// narrower than it was in earlier lines.
type grid struct {
	out    io.Writer
	color  bool
	header []string // printed before the first lines; nil: no header
	gap    bool     // whether an empty line precedes the header
	text   bytes.Buffer
	tab    interface {
		io.Writer
		Flush() error
	}
}

func newGrid(out io.Writer, o Options) *grid {
	g := &grid{out: out, color: o.Color}
	g.tab = printers.GetNewTabWriter(&g.text)
	return g
}

// print aligns and writes lines. alarm marks the columns in which alarming
// words are coloured.
func (g *grid) print(lines [][]string, alarm []bool) error {
	header := g.header
	if header != nil {
		lines = append([][]string{header}, lines...)
		g.header = nil
	}
	for _, cells := range lines {
		if _, err := io.WriteString(g.tab, strings.Join(cells, "\t")+"\n"); err != nil {
			return err
		}
	}
	if err := g.tab.Flush(); err != nil {
		return err
	}
	text := g.text.String()
	g.text.Reset()
	if g.color {
		text = paint(text, lines, alarm)
	}
	if g.gap && header != nil {
		text = "\n" + text
	}
	_, err := io.WriteString(g.out, text)
	return err
}

// paint colours cells after they were aligned, because an escape sequence
// would count as width. Only spaces separate the cells of a line, so the first
// occurrence of a cell's text in the rest of the line is that cell.
func paint(text string, lines [][]string, alarm []bool) string {
	var b strings.Builder
	for _, cells := range lines {
		line, rest, _ := strings.Cut(text, "\n")
		text = rest
		for i, cell := range cells {
			at := strings.Index(line, cell)
			if alarm[i] {
				b.WriteString(line[:at] + painted(cell))
			} else {
				b.WriteString(line[:at+len(cell)])
			}
			line = line[at+len(cell):]
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}
