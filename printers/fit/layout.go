package fit

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

// A Column describes a column for its layout.
type Column struct {
	Header string
	Worth  int  // columns with the least worth are left out first
	Min    int  // the width below which a cell is not cut; 0: [defaultMin]
	State  bool // cells are words of a state, possibly followed by an age in parentheses, as in "STALE (5m)"
}

// gap is the number of spaces between two columns, as in kubectl's tables.
const gap = 3

// narrow is the width up to which a column is never cut, because a cut cell
// would save little.
const narrow = 12

// defaultMin is the width to which a column may be cut if it sets no other.
const defaultMin = 16

// A Layout says how to print a table so that its lines fit a width. It is made
// from the first rows, and applies to later rows of the same table.
type Layout struct {
	columns []Column
	shown   []int // indices into columns
	widths  []int // the largest width of each shown column; 0: unlimited
	names   []*names
	ageless bool
}

// New returns the layout of a table in a width. Each row has one cell per
// column. If the whole table fits, nothing is changed.
func New(width int, columns []Column, rows [][]string) *Layout {
	l := &Layout{columns: columns}
	for i := range columns {
		l.shown = append(l.shown, i)
	}
	l.widths = make([]int, len(columns))
	natural := widest(columns, rows)
	if total(natural) <= width {
		return l
	}
	for i := range columns {
		l.names = append(l.names, newNames(rows, i))
	}
	if natural = widest(columns, l.shortened(rows)); total(natural) <= width {
		return l
	}
	l.ageless = true
	if natural = widest(columns, l.shortened(rows)); total(natural) <= width {
		return l
	}
	least := make([]int, len(columns))
	for i, c := range columns {
		least[i] = leastWidth(c, natural[i])
	}
	l.shown = worthiest(columns, least, width)
	l.cut(natural, least, width)
	return l
}

// leastWidth returns the width below which a column is not cut.
func leastWidth(c Column, natural int) int {
	if c.State || natural <= narrow {
		return natural
	}
	return min(natural, max(cmp.Or(c.Min, defaultMin), utf8.RuneCountInString(c.Header)))
}

// worthiest returns the columns that fit a width, in order. The first column
// of the greatest worth is always among them.
func worthiest(columns []Column, least []int, width int) []int {
	order := make([]int, len(columns))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(columns[b].Worth, columns[a].Worth) })
	used, shown := -gap, []int(nil)
	for _, i := range order {
		if used+gap+least[i] > width && len(shown) > 0 {
			continue
		}
		used += gap + least[i]
		shown = append(shown, i)
	}
	slices.Sort(shown)
	return shown
}

// cut sets the largest widths of the shown columns. It finds the greatest
// width that all columns wider than it can have, and gives the characters that
// remain to columns from the left.
func (l *Layout) cut(natural, least []int, width int) {
	limit := func(level, i int) int { return min(natural[i], max(least[i], level)) }
	sum := func(level int) (n int) {
		n = -gap
		for _, i := range l.shown {
			n += gap + limit(level, i)
		}
		return n
	}
	level := 0
	for level < width && sum(level+1) <= width {
		level++
	}
	rest := width - sum(level)
	for _, i := range l.shown {
		l.widths[i] = limit(level, i)
		if more := min(rest, natural[i]-l.widths[i]); more > 0 && l.widths[i] >= level {
			l.widths[i] += more
			rest -= more
		}
	}
}

// Header returns the headers of the shown columns.
func (l *Layout) Header() []string {
	out := make([]string, len(l.shown))
	for k, i := range l.shown {
		out[k] = Cut(l.columns[i].Header, l.widths[i])
	}
	return out
}

// Hidden returns the headers of the columns that are left out.
func (l *Layout) Hidden() (out []string) {
	for i, c := range l.columns {
		if !slices.Contains(l.shown, i) {
			out = append(out, c.Header)
		}
	}
	return out
}

// Shown returns the indices of the columns that are shown.
func (l *Layout) Shown() []int { return l.shown }

// Rows returns the cells of the shown columns.
func (l *Layout) Rows(rows [][]string) [][]string {
	out := make([][]string, len(rows))
	for r, cells := range l.shortened(rows) {
		for _, i := range l.shown {
			out[r] = append(out[r], Cut(cells[i], l.widths[i]))
		}
	}
	return out
}

// shortened returns rows with shortened names, and without ages if they were
// too much.
func (l *Layout) shortened(rows [][]string) [][]string {
	if l.names == nil {
		return rows
	}
	out := make([][]string, len(rows))
	for i := range l.columns {
		l.names[i].learn(rows, i)
	}
	for r, cells := range rows {
		out[r] = make([]string, len(cells))
		for i, cell := range cells {
			cell = l.names[i].short(cell)
			if l.ageless && l.columns[i].State {
				cell = withoutAge(cell)
			}
			out[r][i] = cell
		}
	}
	return out
}

// withoutAge returns the word of a state without its age.
func withoutAge(cell string) string {
	if at := strings.Index(cell, " ("); at > 0 && strings.HasSuffix(cell, ")") {
		return cell[:at]
	}
	return cell
}

// Cut returns a text of at most width characters. A longer text ends in an
// ellipsis. A width of 0 is unlimited.
func Cut(text string, width int) string {
	if width <= 0 || utf8.RuneCountInString(text) <= width {
		return text
	}
	return string([]rune(text)[:width-1]) + "…"
}

// widest returns the width of each column.
func widest(columns []Column, rows [][]string) []int {
	out := make([]int, len(columns))
	for i, c := range columns {
		out[i] = utf8.RuneCountInString(c.Header)
	}
	for _, cells := range rows {
		for i, cell := range cells {
			out[i] = max(out[i], utf8.RuneCountInString(cell))
		}
	}
	return out
}

// total returns the width of a table.
func total(widths []int) int {
	n := -gap
	for _, w := range widths {
		n += gap + w
	}
	return n
}

// Fits reports whether a table fits a width as it is.
func Fits(width int, columns []Column, rows [][]string) bool {
	return total(widest(columns, rows)) <= width
}
