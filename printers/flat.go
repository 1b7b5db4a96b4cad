package printers

import (
	"github.com/meshq/kubectl-meshq/printers/columns"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// valueColumn is the only column of results that are not objects.
const valueColumn = "value"

// renderFlat makes the rows of -o table. An object is a row with its members as
// columns. An array of objects is one row per object. Any other value is a row
// with one cell. A cell shows an array or object as JSON.
func (t *tables) renderFlat(r *columns.Reading, v any) renderedTable {
	if items, ok := v.([]any); ok {
		if rows, ok := t.flatRows(r, items); ok {
			return rows
		}
	}
	return renderedTable{flat: []*object.Object{flatRow(r, v)}, value: v}
}

// flatRows makes the rows of an array of objects. It uses the columns of their
// kind if all have the same known kind. It returns false if an element is not
// an object, or if the kinds differ.
func (t *tables) flatRows(r *columns.Reading, items []any) (renderedTable, bool) {
	out := renderedTable{value: items}
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
