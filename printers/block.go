package printers

import (
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/meshq/kubectl-meshq/printers/columns"
	"github.com/meshq/kubectl-meshq/printers/fit"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// maxBufferedRows is how many rows are buffered to lay them out together. Later
// rows of a longer table keep the columns and widths of the first rows, unless
// they need another column.
const maxBufferedRows = 20000

// A block is a table of objects of one kind. Its rows are buffered until it
// ends, because all of them determine which columns it has and how wide they
// are.
type block struct {
	kind           *columns.Kind // nil: a table of objects of no known kind
	out            io.Writer
	opts           Options
	hasOutputAbove bool // whether other output precedes the block
	rows           []columns.Row
	flat           []*object.Object // the rows of objects of no known kind: the cells by key
	shown          []string         // the ids of the columns in the current header; nil: no header is printed yet
	grid           *grid
	headers        []fit.Column // the columns in the current header
	hidden         []string     // the headers of the columns that are left out, because they don't fit
	layout         *fit.Layout  // how the lines fit the terminal; nil: they may have any width
}

func newBlock(kind *columns.Kind, out io.Writer, o Options, follow bool) *block {
	return &block{kind: kind, out: out, opts: o, hasOutputAbove: follow}
}

// accepts reports whether rows of a kind belong in the block.
func (b *block) accepts(kind *columns.Kind) bool {
	if b.kind == nil || kind == nil {
		return b.kind == kind
	}
	return b.kind.Name == kind.Name && b.kind.Group == kind.Group
}

func (b *block) add(rows []columns.Row, flat []*object.Object) error {
	b.rows = append(b.rows, rows...)
	b.flat = append(b.flat, flat...)
	if len(b.rows) < maxBufferedRows && len(b.flat) < maxBufferedRows {
		return nil
	}
	return b.flush(false)
}

// flush prints the buffered rows. It prints a new header if the rows need a
// column that the current header lacks. ended means that no more rows will
// come.
func (b *block) flush(ended bool) error {
	cols, rows := b.table()
	shown := b.visible(cols, rows, ended)
	if b.opts.Width > 0 && b.grid == nil {
		if text, ok := b.upright(cols, rows, shown); ok {
			b.rows, b.flat = nil, nil
			_, err := io.WriteString(b.out, text)
			return err
		}
	}
	if b.grid == nil || slices.ContainsFunc(shown, func(i int) bool { return !slices.Contains(b.shown, b.id(cols, i)) }) {
		b.begin(cols, shown)
	}
	b.rows, b.flat = nil, nil
	lines, alarm := b.lines(cols, rows)
	if b.opts.Width > 0 {
		lines, alarm = b.fitted(lines, alarm)
	}
	return b.grid.print(lines, alarm)
}

// table returns the block's columns and rows. For objects of no known kind,
// each key of any of the objects is a column.
func (b *block) table() ([]columns.Column, []columns.Row) {
	if b.kind != nil {
		return b.kind.Columns, b.rows
	}
	keys := object.New(0) // in the order of the first object, followed by the keys that only later objects have
	for _, fields := range b.flat {
		keys.SetAll(fields)
	}
	var cols []columns.Column
	order := keys.Keys()
	if headers := b.opts.columns(""); headers != nil {
		order, cols = columnsOfKeys(order, headers)
	} else {
		for _, key := range order {
			cols = append(cols, columns.Column{Header: columns.Clean(strings.ToUpper(key)), Key: key})
		}
	}
	rows := make([]columns.Row, len(b.flat))
	for i, fields := range b.flat {
		for _, key := range order {
			cell, ok := fields.Get(key).(string)
			if !ok {
				cell = columns.None
			}
			rows[i] = append(rows[i], cell)
		}
	}
	return cols, rows
}

// columnsOfKeys returns the columns for headers. A header is a key in capitals
// and may contain spaces: NOT AFTER is the key notAfter.
func columnsOfKeys(keys, headers []string) (order []string, cols []columns.Column) {
	for _, h := range headers {
		for _, key := range keys {
			if strings.EqualFold(strings.ReplaceAll(h, " ", ""), key) {
				order = append(order, key)
				cols = append(cols, columns.Column{Header: h, Key: key})
			}
		}
	}
	return order, cols
}

// visible returns the indices of the columns that the rows need. The column
// PROXY can't be left out while more rows may come, because they may belong to
// another proxy.
func (b *block) visible(cols []columns.Column, rows []columns.Row, ended bool) []int {
	var shown []int
	for i, c := range cols {
		if c.IsShown(rows, i) || !ended && c.Header == "PROXY" {
			shown = append(shown, i)
		}
	}
	return shown
}

// id returns a unique id of a column. Headers aren't unique: a proxy's VERSION
// and the label of -L version have the same one.
func (b *block) id(cols []columns.Column, i int) string {
	if b.kind == nil {
		return cols[i].Key
	}
	return strconv.Itoa(i)
}

func (b *block) begin(cols []columns.Column, shown []int) {
	b.shown = nil
	var header []string
	b.headers = nil
	for _, i := range shown {
		b.shown = append(b.shown, b.id(cols, i))
		header = append(header, cols[i].Header)
		b.headers = append(b.headers, fitColumn(cols[i]))
	}
	follow := b.hasOutputAbove || b.grid != nil
	b.grid, b.layout = newGrid(b.out, b.opts), nil
	if !b.opts.NoHeaders {
		b.grid.header, b.grid.gap = header, follow
	}
}

// lines returns the cells of the columns in the current header. A column that
// these rows don't have is empty. alarm marks the columns with alarming words.
func (b *block) lines(cols []columns.Column, rows []columns.Row) (lines [][]string, alarm []bool) {
	at := map[string]int{}
	for i := range cols {
		at[b.id(cols, i)] = i
	}
	places := make([]int, len(b.shown))
	alarm = make([]bool, len(b.shown))
	for i, id := range b.shown {
		places[i] = -1
		if place, ok := at[id]; ok {
			places[i] = place
		}
		alarm[i] = places[i] >= 0 && cols[places[i]].Alarm
	}
	for _, r := range rows {
		line := make([]string, len(places))
		for i, at := range places {
			line[i] = columns.None
			if at >= 0 {
				line[i] = r[at]
			}
		}
		lines = append(lines, line)
	}
	return lines, alarm
}
