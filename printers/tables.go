package printers

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/meshq/kubectl-meshq/printers/columns"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// A tables printer prints objects of known kinds as tables. Consecutive results
// of one kind form a block, which is a table of its own. If the first result is
// of no known kind, it and all later results are printed as JSON, as jq prints
// it. After a first table, a result of no known kind is printed as JSON between
// two blocks.
type tables struct {
	out        io.Writer
	stream     *stream
	opts       Options
	wide       bool
	flat       bool // with -o table and -o wide, objects of other kinds are rows, too
	kinds      map[string]columns.Kind
	neighbours *columns.Neighbours
	block      *block // the current block; nil: none is open
	hasOutput  bool   // whether anything was printed
	hasTable   bool   // whether a table was printed
	inStream   bool   // the first result was of no known kind: all results are printed as JSON
}

func newTables(o Options, format string) *tables {
	t := &tables{out: o.Out, stream: newStream(o), opts: o, wide: format == "wide", flat: format != "", kinds: map[string]columns.Kind{}, neighbours: columns.NewNeighbours()}
	sel := columns.Selection{Wide: t.wide, Conditional: o.Columns != nil, LabelColumns: o.LabelColumns, ShowLabels: o.ShowLabels, ShowKind: o.ShowKind}
	for _, k := range append(columns.Kinds(), columns.Other()) {
		sel.Headers = o.columns(k.Name)
		t.kinds[k.Key()] = k.Select(sel)
	}
	return t
}

// A renderedTable is a rendered result: the rows of one kind of object, or a value
// printed as JSON.
type renderedTable struct {
	kind  *columns.Kind // nil: the result is of no known kind
	rows  []columns.Row
	flat  []*object.Object // with -o table and -o wide, the rows of objects of no known kind
	value any
	line  any
}

func (t *tables) Render(ctx context.Context, v any) (any, error) {
	r := &columns.Reading{Context: ctx, Neighbours: t.neighbours, Now: t.opts.Now, Wide: t.wide, Ageless: t.opts.Ageless}
	if k, s := t.withKnownFields(r, v); k != nil {
		return renderedTable{kind: k, rows: t.rows(r, k, v, s), value: v}, r.Err
	}
	seen, err := mesh.Force(ctx, v)
	if err != nil {
		return nil, err
	}
	if k := t.kindOf(r, seen); k != nil {
		rows := t.rows(r, k, v, columns.NewSubject(r, seen.(*object.Object)))
		return renderedTable{kind: k, rows: rows, value: v}, r.Err
	}
	if t.flat {
		return t.renderFlat(r, seen), r.Err
	}
	line, err := t.stream.Render(ctx, v)
	return renderedTable{line: line}, err
}

// withKnownFields returns the kind and subject of an object whose rows can be
// made without loading all of the object: either the query requested only a
// part of the object, or the few fields that the table reads cost less than the
// whole. For any other value the kind is nil.
func (t *tables) withKnownFields(r *columns.Reading, v any) (*columns.Kind, *columns.Subject) {
	if k, s := t.partial(r, v); k != nil {
		return k, s
	}
	o, ok := v.(*mesh.Object)
	if !ok {
		return nil, nil
	}
	k, ok := t.kinds[o.Kind]
	if !ok {
		return nil, nil
	}
	if known := k.Load(r, o); known != nil {
		return &k, columns.NewPartialSubject(r, o, known)
	}
	return nil, nil
}

// partial returns the kind and subject of an object of which only a part was
// requested. For any other value the kind is nil.
func (t *tables) partial(r *columns.Reading, v any) (*columns.Kind, *columns.Subject) {
	if o, ok := v.(*mesh.Object); ok && o.IsPart() {
		if k, ok := t.kinds[o.Kind]; ok {
			return &k, columns.NewPartialSubject(r, o, nil)
		}
	}
	return nil, nil
}

// kindOf returns the kind of an object, or nil if the object has no table.
func (t *tables) kindOf(r *columns.Reading, v any) *columns.Kind {
	fields, _ := v.(*object.Object)
	name, _ := r.See(fields.Get("kind")).(string)
	if name == "" {
		return nil
	}
	version, kubernetes := r.See(fields.Get("apiVersion")).(string)
	if !kubernetes {
		if k, ok := t.kinds[name]; ok {
			return &k
		}
		return nil
	}
	k, ok := t.kinds[columns.GroupOf(version)+"/"+name]
	if !ok {
		if _, about := fields.Lookup("metadata"); !about {
			return nil
		}
		k = t.kinds["/"]
		k.Name, k.Group = name, columns.GroupOf(version)
	}
	return &k
}

// rows returns the rows of one object. It loads only what they show.
func (t *tables) rows(r *columns.Reading, k *columns.Kind, v any, s *columns.Subject) []columns.Row {
	r.Owner = nil
	if o, ok := v.(*mesh.Object); ok {
		r.Owner = o.Owner.Proxy()
	}
	return k.Rows(s)
}

func (t *tables) Print(rendered any) error {
	r := rendered.(renderedTable)
	known := r.kind != nil || r.flat != nil
	if !t.hasOutput && t.block == nil && !known {
		t.inStream = true
	}
	switch {
	case t.inStream && known:
		line, err := t.stream.Render(t.opts.context(), r.value)
		if err != nil {
			return err
		}
		return t.stream.Print(line)
	case known:
		return t.add(r)
	}
	if err := t.endBlock(); err != nil {
		return err
	}
	t.hasOutput = true
	return t.stream.Print(r.line)
}

// add adds a result to the current block. It starts a new block if the kind
// differs.
func (t *tables) add(r renderedTable) error {
	if t.block != nil && !t.block.accepts(r.kind) {
		if err := t.endBlock(); err != nil {
			return err
		}
	}
	if t.block == nil {
		t.block = newBlock(r.kind, t.out, t.opts, t.hasOutput)
	}
	t.hasOutput, t.hasTable = true, true
	return t.block.add(r.rows, r.flat)
}

func (t *tables) endBlock() error {
	if t.block == nil {
		return nil
	}
	err := t.block.flush(true)
	t.block.noteHidden()
	t.block = nil
	return err
}

func (t *tables) Close() error { return t.endBlock() }

// Begin starts a run. What was read of other objects in the previous run is
// dropped.
func (t *tables) Begin(now time.Time) { t.opts.Now, t.neighbours = now, columns.NewNeighbours() }

// Says writes the cells of a result's rows, or the result as JSON.
func (t *tables) Says(w io.Writer, rendered any) error {
	r := rendered.(renderedTable)
	switch {
	case r.line != nil:
		return t.stream.write(w, r.line.(line))
	case r.kind != nil:
		return writeRows(w, append(r.rows, columns.Row{r.kind.Key()}))
	}
	var cells columns.Row
	for _, fields := range r.flat {
		for key, cell := range fields.All() {
			cells = append(cells, key, cell.(string))
		}
		cells = append(cells, "\n")
	}
	return writeRows(w, []columns.Row{cells})
}

// writeRows writes rows to w. A NUL separates cells and a newline separates rows:
// cells contain no control characters.
func writeRows[T ~[]string](w io.Writer, rows []T) error {
	for _, cells := range rows {
		if _, err := io.WriteString(w, strings.Join(cells, "\x00")+"\n"); err != nil {
			return err
		}
	}
	return nil
}

// Flush prints the rows of the run. The block stays open for the rows of the
// next run.
func (t *tables) Flush() error {
	if t.block == nil || len(t.block.rows)+len(t.block.flat) == 0 {
		return nil
	}
	return t.block.flush(false)
}

// PrintedTable reports whether a table was printed.
func (t *tables) PrintedTable() bool { return t.hasTable }
