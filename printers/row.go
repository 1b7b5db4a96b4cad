package printers

import (
	"slices"
	"strings"
)

// A row is the text of each column of a kind, those that won't be shown too.
type row []string

// columns are those of a kind that the options ask for.
func (t *tables) columns(k Kind) []Column {
	columns := slices.DeleteFunc(slices.Clone(k.Columns), func(c Column) bool { return c.Wide && !t.wide })
	if headers := t.opts.columns(k.Name); headers != nil {
		columns = chosen(k.Columns, headers)
	}
	for i, c := range columns {
		if t.wide && t.opts.Columns == nil && strings.Contains(c.Sometimes, "-o wide") {
			columns[i].shown = nil
		}
	}
	if k.labels != nil {
		columns = append(columns, labelColumns(k.labels, t.opts)...)
	}
	if t.opts.ShowKind {
		for i, c := range columns {
			if c.name {
				columns[i].cell = withKind(c.cell)
			}
		}
	}
	return columns
}

// keys are the fields that a kind's columns look at.
func (t *tables) keys(k Kind) (keys []string) {
	for _, c := range k.Columns {
		paths := c.Fields
		if t.wide {
			paths = slices.Concat(paths, c.WideFields)
		}
		for _, path := range paths {
			key, _, _ := strings.Cut(path, ".")
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// columns gives the headers that a kind's table is to have; nil: its own.
func (o Options) columns(kind string) []string {
	if headers, ok := o.Columns[kind]; ok {
		return headers
	}
	return o.Columns[""]
}

// chosen gives the columns that have one of the headers, in their order.
func chosen(all []Column, headers []string) (out []Column) {
	for _, h := range headers {
		for _, c := range all {
			if c.Header == h {
				out = append(out, c)
			}
		}
	}
	return out
}

// labelColumns are those of -L and --show-labels.
func labelColumns(path []string, o Options) []Column {
	var out []Column
	for _, label := range o.LabelColumns {
		header := strings.ToUpper(label[strings.LastIndex(label, "/")+1:])
		out = append(out, Column{Header: header, cell: func(s *subject) string {
			return s.text(append(slices.Clone(path), label)...)
		}})
	}
	if o.ShowLabels {
		out = append(out, Column{Header: "LABELS", cell: func(s *subject) string { return s.pairs(path...) }})
	}
	return out
}

// withKind is --show-kind: pod/name, virtualservice.networking.istio.io/name.
func withKind(cell func(*subject) string) func(*subject) string {
	return func(s *subject) string {
		name := cell(s)
		for s.parent != nil {
			s = s.parent
		}
		kind := strings.ToLower(s.text("kind"))
		if group := groupOf(s.text("apiVersion")); group != "" {
			kind += "." + group
		}
		return kind + "/" + name
	}
}

func groupOf(apiVersion string) string {
	group, _, grouped := strings.Cut(apiVersion, "/")
	if !grouped {
		return ""
	}
	return group
}

// row makes the row about a subject.
func (k *Kind) row(s *subject) row {
	r := make(row, len(k.Columns))
	for i, c := range k.Columns {
		r[i] = clean(c.cell(s))
		if r[i] == "" {
			r[i] = k.empty()
		}
	}
	return r
}

func (k *Kind) empty() string {
	if k.none == "" {
		return noneCell
	}
	return k.none
}

// clean makes a text fit for a cell and safe on a terminal. As in kubectl's
// tables a second line is left out, and an escape becomes ^[.
func clean(text string) string {
	if IsLegible(text) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\n' || r == '\r' || r == '\f':
			return b.String() + "..."
		case r == '\t' || r == '\v':
			b.WriteByte(' ')
		case r == '\x1b':
			b.WriteString("^[")
		default:
			b.WriteString(Legible(string(r)))
		}
	}
	return b.String()
}
