package printers

import (
	"github.com/meshq/kubectl-meshq/printers/columns"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// valueColumn is the one column of what is no object.
const valueColumn = "value"

// renderFlat makes rows of -o table: an object is a row, its members are
// columns; an array of objects is a row each; anything else is a cell by
// itself. What has members is JSON in its cell.
func (t *tables) renderFlat(r *columns.Reading, v any) tabled {
	if items, ok := v.([]any); ok {
		if rows, ok := t.flatRows(r, items); ok {
			return rows
		}
	}
	return tabled{flat: []*object.Object{flatRow(r, v)}, value: v}
}

// flatRows makes rows of an array of objects, in the columns of their kind
// when they have a known one.
func (t *tables) flatRows(r *columns.Reading, items []any) (tabled, bool) {
	out := tabled{value: items}
	for i, item := range items {
		k, s := t.partial(r, item)
		var v any
		if k == nil {
			v = r.See(item)
			fields, ok := v.(*object.Object)
			if !ok {
				return out, false
			}
			k, s = t.kindOf(r, v), columns.NewSubject(r, fields)
		}
		if i > 0 && !(k == nil && out.kind == nil || k != nil && out.kind != nil && k.Key() == out.kind.Key()) {
			return out, false
		}
		if out.kind = k; k == nil {
			out.flat = append(out.flat, flatRow(r, v))
			continue
		}
		out.rows = append(out.rows, t.rows(r, k, item, s)...)
	}
	return out, len(items) > 0
}

func flatRow(r *columns.Reading, v any) *object.Object {
	fields, _ := v.(*object.Object)
	if fields.Len() == 0 {
		fields = object.Of(valueColumn, v)
	}
	cells := object.New(fields.Len())
	for key, v := range fields.All() {
		text := columns.Clean(r.Show(v))
		if text == "" {
			text = columns.None
		}
		cells.Set(key, text)
	}
	return cells
}
