package printers

import (
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/meshq/kubectl-meshq/printers/columns"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// mostRows is how many rows are held to lay them out together; what a longer
// table has beyond keeps the widths and columns of its first rows.
const mostRows = 20000

// A block is a table of one kind: its rows are held until it ends, since
// which columns it has and how wide they are hangs on all of them.
type block struct {
	kind   *columns.Kind // nil: of any objects
	out    io.Writer
	opts   Options
	follow bool // something stands above it
	rows   []columns.Row
	flat   []*object.Object // texts by key
	shown  []string         // the ids of the cols shown; nil: none yet
	grid   *grid
}

func newBlock(kind *columns.Kind, out io.Writer, o Options, follow bool) *block {
	return &block{kind: kind, out: out, opts: o, follow: follow}
}

// holds tells whether rows of a kind belong in it.
func (b *block) holds(kind *columns.Kind) bool {
	if b.kind == nil || kind == nil {
		return b.kind == kind
	}
	return b.kind.Name == kind.Name && b.kind.Group == kind.Group
}

func (b *block) add(rows []columns.Row, flat []*object.Object) error {
	b.rows = append(b.rows, rows...)
	b.flat = append(b.flat, flat...)
	if len(b.rows) < mostRows && len(b.flat) < mostRows {
		return nil
	}
	return b.flush(false)
}

// flush prints the rows it holds. When they need a column that is not among
// those already printed, they begin again under a new header.
func (b *block) flush(ended bool) error {
	cols, rows := b.table()
	shown := b.visible(cols, rows, ended)
	if b.grid == nil || slices.ContainsFunc(shown, func(i int) bool { return !slices.Contains(b.shown, b.id(cols, i)) }) {
		b.begin(cols, shown)
	}
	b.rows, b.flat = nil, nil
	return b.grid.print(b.lines(cols, rows))
}

// table gives the block's columns and rows; those of objects of any kind are
// made of the keys they have.
func (b *block) table() ([]columns.Column, []columns.Row) {
	if b.kind != nil {
		return b.kind.Columns, b.rows
	}
	keys := object.New(0) // in the order of the first row, then of those that have more
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

// columnsOfKeys makes columns of the headers that are some of the keys in capitals,
// with spaces where they please: NOT AFTER is notAfter.
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

// visible gives the columns that the rows call for. While more rows may come,
// whose each is can't be left out.
func (b *block) visible(cols []columns.Column, rows []columns.Row, ended bool) []int {
	var shown []int
	for i, c := range cols {
		if c.IsShown(rows, i) || !ended && c.Header == "PROXY" {
			shown = append(shown, i)
		}
	}
	return shown
}

// id tells a column from the others: two may have one header, as the VERSION
// of a proxy and that of -L version.
func (b *block) id(cols []columns.Column, i int) string {
	if b.kind == nil {
		return cols[i].Key
	}
	return strconv.Itoa(i)
}

func (b *block) begin(cols []columns.Column, shown []int) {
	b.shown = nil
	var header []string
	for _, i := range shown {
		b.shown = append(b.shown, b.id(cols, i))
		header = append(header, cols[i].Header)
	}
	follow := b.follow || b.grid != nil
	b.grid = newGrid(b.out, b.opts)
	if !b.opts.NoHeaders {
		b.grid.header, b.grid.gap = header, follow
	}
}

// lines gives the cells of the columns shown. A column of an earlier header
// that these rows don't have is empty.
func (b *block) lines(cols []columns.Column, rows []columns.Row) (lines [][]string, red []bool) {
	at := map[string]int{}
	for i := range cols {
		at[b.id(cols, i)] = i
	}
	places := make([]int, len(b.shown))
	red = make([]bool, len(b.shown))
	for i, id := range b.shown {
		places[i] = -1
		if place, ok := at[id]; ok {
			places[i] = place
		}
		red[i] = places[i] >= 0 && cols[places[i]].Alarm
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
	return lines, red
}
