package columns

import (
	"cmp"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/printers/safe"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// A Row has the texts of all columns of a kind, including columns that won't be
// shown.
type Row []string

// A Selection selects which of a kind's columns a table has.
type Selection struct {
	Wide         bool     // true to include the columns of -o wide
	Headers      []string // the headers of the columns, in order; if nil, the columns of the kind
	Conditional  bool     // with Wide, true if the columns that have a condition keep it
	LabelColumns []string // the labels that have a column of their own
	ShowLabels   bool     // true to show a column of all labels
	ShowKind     bool     // true to prefix the name with the kind
}

// Select returns a copy of the kind with the selected columns.
func (k Kind) Select(sel Selection) Kind {
	columns := slices.DeleteFunc(slices.Clone(k.Columns), func(c Column) bool { return c.Wide && !sel.Wide })
	if sel.Headers != nil {
		columns = withHeaders(k.Columns, sel.Headers)
	}
	for i, c := range columns {
		if sel.Wide && !sel.Conditional && strings.Contains(c.Sometimes, "-o wide") {
			columns[i].shown = nil
		}
		if sel.ShowKind && c.isName {
			columns[i].cell = withKind(c.cell)
		}
	}
	if k.labels != nil {
		columns = append(columns, labelColumns(k.labels, sel)...)
	}
	k.Columns = columns
	k.fields = members(k.paths(sel.Wide))
	return k
}

// Fields returns the paths of the fields that a row in a kind's table reads. ok
// is false for a kind without a table.
func Fields(kind string, wide bool) (paths []string, ok bool) {
	kinds := Kinds()
	i := slices.IndexFunc(kinds, func(k Kind) bool { return k.Name == kind })
	if i < 0 {
		return nil, false
	}
	return kinds[i].Select(Selection{Wide: wide}).paths(wide), true
}

// paths returns the paths of the fields that the kind's columns read.
func (k Kind) paths(wide bool) (paths []string) {
	for _, c := range k.Columns {
		paths = append(paths, c.Fields...)
		if wide {
			paths = append(paths, c.WideFields...)
		}
	}
	return paths
}

// members returns the first member in each path, sorted.
func members(paths []string) []string {
	keys := make([]string, len(paths))
	for i, path := range paths {
		keys[i], _, _ = strings.Cut(path, ".")
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

func withHeaders(all []Column, headers []string) (out []Column) {
	for _, h := range headers {
		for _, c := range all {
			if c.Header == h {
				out = append(out, c)
			}
		}
	}
	return out
}

// labelColumns returns the columns that -L and --show-labels add.
func labelColumns(path []string, sel Selection) []Column {
	var out []Column
	for _, label := range sel.LabelColumns {
		header := strings.ToUpper(label[strings.LastIndex(label, "/")+1:])
		out = append(out, Column{Header: header, cell: func(s *Subject) string {
			return s.Text(append(slices.Clone(path), label)...)
		}})
	}
	if sel.ShowLabels {
		out = append(out, Column{Header: "LABELS", cell: func(s *Subject) string { return s.pairs(path...) }})
	}
	return out
}

// withKind returns the function for the cells of names with --show-kind. They
// have the form service/name or virtualservice.networking.istio.io/name.
func withKind(cell func(*Subject) string) func(*Subject) string {
	return func(s *Subject) string {
		name := cell(s)
		for s.parent != nil {
			s = s.parent
		}
		kind := strings.ToLower(s.Text("kind"))
		if group := GroupOf(s.Text("apiVersion")); group != "" {
			kind += "." + group
		}
		return kind + "/" + name
	}
}

// GroupOf returns the API group in an apiVersion. It is "" for the core group.
func GroupOf(apiVersion string) string {
	group, _, grouped := strings.Cut(apiVersion, "/")
	if !grouped {
		return ""
	}
	return group
}

// Load loads only the fields that the kind's rows read. It returns nil if that
// costs as much as loading the whole object.
func (k *Kind) Load(r *Reading, o *mesh.Object) *object.Object {
	if k.rows != nil {
		return nil
	}
	return o.Some(r.Context, k.fields)
}

// Rows returns the rows of one object. They load only the data that they show.
func (k *Kind) Rows(s *Subject) []Row {
	subjects := []*Subject{s}
	if k.rows != nil {
		subjects = k.rows(s)
	}
	rows := make([]Row, len(subjects))
	for i, s := range subjects {
		rows[i] = k.row(s)
	}
	return rows
}

func (k *Kind) row(s *Subject) Row {
	empty := cmp.Or(k.none, None)
	r := make(Row, len(k.Columns))
	for i, c := range k.Columns {
		r[i] = cmp.Or(Clean(c.cell(s)), empty)
	}
	return r
}

// Clean makes a text safe to print as a cell. As in kubectl's tables, only the
// first line is kept, and an escape character becomes ^[.
func Clean(text string) string {
	if safe.IsLine(text) {
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
			b.WriteString(safe.Line(string(r)))
		}
	}
	return b.String()
}
