package printers

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// A tables prints objects of known kinds as tables, a block for each run of
// one kind. The first result decides: when it is of no known kind, it and all
// that follow are jq's stream. After a table, what is of no known kind stands
// between the blocks as jq prints it.
type tables struct {
	out      io.Writer
	stream   *stream
	opts     Options
	wide     bool
	flat     bool // -o table: other objects make tables too
	kinds    map[string]Kind
	near     *neighbours
	block    *block // of the rows that are not printed yet; nil: none
	anything bool   // something was printed
	printed  bool   // a table was
	inStream bool   // the first result was of no known kind
}

func newTables(o Options, format string) *tables {
	t := &tables{out: o.Out, stream: newStream(o), opts: o, wide: format == "wide", flat: format == "table", kinds: map[string]Kind{}, near: newNeighbours()}
	for _, k := range append(Kinds(), Other()) {
		k.Columns = t.columns(k)
		k.keys = t.keys(k)
		t.kinds[k.key()] = k
	}
	return t
}

// key is what a kind is found by: its group too, where there is one.
func (k Kind) key() string {
	if !k.kubernetes {
		return k.Name
	}
	return k.Group + "/" + k.Name
}

// A tabled is a rendered result: rows of one kind, or lines of a stream.
type tabled struct {
	kind  *Kind // nil: of no known kind
	rows  []row
	flat  []*object.Object // the rows of -o table where there is no kind
	value any
	line  any
}

func (t *tables) Render(ctx context.Context, v any) (any, error) {
	r := &reading{ctx: ctx, near: t.near, now: t.opts.Now, wide: t.wide, ageless: t.opts.Ageless}
	if k, s := t.partial(r, v); k != nil {
		return tabled{kind: k, rows: t.rows(r, k, v, s), value: v}, r.err
	}
	if k, s := t.some(r, v); k != nil {
		return tabled{kind: k, rows: t.rows(r, k, v, s), value: v}, r.err
	}
	seen, err := mesh.Force(ctx, v)
	if err != nil {
		return nil, err
	}
	if k := t.kindOf(r, seen); k != nil {
		rows := t.rows(r, k, v, &subject{reading: r, fields: seen.(*object.Object)})
		return tabled{kind: k, rows: rows, value: v}, r.err
	}
	if t.flat {
		return t.renderFlat(r, seen), r.err
	}
	line, err := t.stream.Render(ctx, v)
	return tabled{line: line}, err
}

// partial gives an object of which only a part was asked for: what its table
// shows may be known. Its kind is nil for anything else.
func (t *tables) partial(r *reading, v any) (*Kind, *subject) {
	if o, ok := v.(*mesh.Object); ok && o.IsPart() {
		if k, ok := t.kinds[o.Kind]; ok {
			return &k, &subject{reading: r, part: o}
		}
	}
	return nil, nil
}

// some gives an object whose table looks at a few of its fields, where these can
// be had for less than all. Its kind is nil for anything else.
func (t *tables) some(r *reading, v any) (*Kind, *subject) {
	o, ok := v.(*mesh.Object)
	if !ok || o.IsPart() {
		return nil, nil
	}
	k, ok := t.kinds[o.Kind]
	if !ok || k.rows != nil {
		return nil, nil
	}
	if some := o.Some(r.ctx, k.keys); some != nil {
		return &k, &subject{reading: r, part: o, known: some}
	}
	return nil, nil
}

// kindOf finds the table of an object, nil for what has none.
func (t *tables) kindOf(r *reading, v any) *Kind {
	fields, _ := v.(*object.Object)
	name, _ := r.see(fields.Get("kind")).(string)
	if name == "" {
		return nil
	}
	version, kubernetes := r.see(fields.Get("apiVersion")).(string)
	if !kubernetes {
		if k, ok := t.kinds[name]; ok {
			return &k
		}
		return nil
	}
	k, ok := t.kinds[groupOf(version)+"/"+name]
	if !ok {
		if _, about := fields.Lookup("metadata"); !about {
			return nil
		}
		k = t.kinds["/"]
		k.Name, k.Group = name, groupOf(version)
	}
	return &k
}

// rows makes the rows of one object, and looks only at what they show.
func (t *tables) rows(r *reading, k *Kind, v any, s *subject) []row {
	r.owner = nil
	if o, ok := v.(*mesh.Object); ok {
		r.owner = o.Owner.Proxy()
	}
	subjects := []*subject{s}
	if k.rows != nil {
		subjects = k.rows(s)
	}
	rows := make([]row, len(subjects))
	for i, s := range subjects {
		rows[i] = k.row(s)
	}
	return rows
}

func (t *tables) Print(rendered any) error {
	r := rendered.(tabled)
	known := r.kind != nil || r.flat != nil
	if !t.anything && t.block == nil && !known {
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
	t.anything = true
	return t.stream.Print(r.line)
}

// add puts rows in the block of their kind.
func (t *tables) add(r tabled) error {
	if t.block != nil && !t.block.holds(r.kind) {
		if err := t.endBlock(); err != nil {
			return err
		}
	}
	if t.block == nil {
		t.block = newBlock(r.kind, t.out, t.opts, t.anything)
	}
	t.anything, t.printed = true, true
	return t.block.add(r.rows, r.flat)
}

func (t *tables) endBlock() error {
	if t.block == nil {
		return nil
	}
	err := t.block.flush(true)
	t.block = nil
	return err
}

func (t *tables) Close() error { return t.endBlock() }

// Begin begins a round.
func (t *tables) Begin(now time.Time) { t.opts.Now, t.near = now, newNeighbours() }

// Says writes the cells of a result's rows, or its line.
func (t *tables) Says(w io.Writer, rendered any) error {
	r := rendered.(tabled)
	switch {
	case r.line != nil:
		return t.stream.write(w, r.line.(line))
	case r.kind != nil:
		return says(w, append(r.rows, row{r.kind.key()}))
	}
	var cells row
	for _, fields := range r.flat {
		for key, cell := range fields.All() {
			cells = append(cells, key, cell.(string))
		}
		cells = append(cells, "\n")
	}
	return says(w, []row{cells})
}

// says writes cells, which have no control characters in them.
func says[T ~[]string](w io.Writer, rows []T) error {
	for _, cells := range rows {
		if _, err := io.WriteString(w, strings.Join(cells, "\x00")+"\n"); err != nil {
			return err
		}
	}
	return nil
}

// Flush prints the rows of the round; the next goes on below them.
func (t *tables) Flush() error {
	if t.block == nil || len(t.block.rows)+len(t.block.flat) == 0 {
		return nil
	}
	return t.block.flush(false)
}

// PrintedTable tells whether a table was printed: something for people.
func (t *tables) PrintedTable() bool { return t.printed }
