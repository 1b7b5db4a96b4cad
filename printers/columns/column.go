package columns

import (
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// A Column is a column of a kind's table.
type Column struct {
	Header string
	Wide   bool // true if the column is shown only with -o wide

	// Fields are the paths of all fields that a cell reads. WideFields are the
	// paths of the fields that it reads only with -o wide. No other field is
	// loaded for a row.
	Fields     []string
	WideFields []string

	// Sometimes describes the condition under which the column is shown. It is
	// empty if the column is always shown.
	Sometimes string

	fieldName string // set only in a placeholder: the name of the field that declares the column, see withDeclared
	Key       string // for objects of no known kind: the name of the member that the column shows
	cell      func(*Subject) string
	// reports whether a table with these rows shows the column; if nil, the
	// column is always shown
	shown  func(rows []Row, at int) bool
	isName bool // true if the column contains the object's name, like kubectl's NAME
	Alarm  bool // true if alarming words are printed in red
}

// A Kind is the table of one kind of objects.
type Kind struct {
	Name    string
	Group   string // the API group of a Kubernetes kind; empty for the core group
	Columns []Column

	// Head are the headers of those columns that form the first line of a row,
	// if each row is printed as a block because the table is too wide for a
	// terminal. If Head is nil, rows are never printed as blocks.
	Head []string

	kubernetes bool
	labels     []string                  // the path of the object's labels; nil if it has none
	rows       func(*Subject) []*Subject // returns one subject for each row of an object; if nil, an object has one row
	none       string                    // the text of an empty cell; if it is "", [None] is used
	fields     []string                  // the top-level fields that the columns read
}

// Key returns the key by which a kind is looked up: its name or, for a
// Kubernetes kind, group/name.
func (k Kind) Key() string {
	if !k.kubernetes {
		return k.Name
	}
	return k.Group + "/" + k.Name
}

// IsShown reports whether a table with the given rows shows the column. at is
// the index of the column's cells in each row.
func (c Column) IsShown(rows []Row, at int) bool { return c.shown == nil || c.shown(rows, at) }

// Kinds returns all tables, in the order of the document. Every other
// Kubernetes kind has the columns of [Other].
func Kinds() []Kind {
	all := slices.Concat(
		[]Kind{pilotKind(), proxyKind()},
		envoyKinds(), ztunnelKinds(), kubernetesKinds(),
		[]Kind{differenceKind(), traceKind(), faultKind(), findingKind()},
	)
	for i := range all {
		all[i].Columns = withDeclared(all[i].Name, all[i].Columns)
	}
	return all
}

// Other returns the table of the Kubernetes kinds that have no table of their
// own.
func Other() Kind {
	return kubernetesKind("", "")
}

// pathColumn returns a column that shows the member at a path.
func pathColumn(header, path string) Column {
	keys := strings.Split(path, ".")
	return Column{Header: header, Fields: []string{path}, cell: func(s *Subject) string { return s.Text(keys...) }}
}

// listColumn returns a column that shows the elements of an array, with commas
// between them.
func listColumn(header, path string) Column {
	keys := strings.Split(path, ".")
	return Column{Header: header, Fields: []string{path}, cell: func(s *Subject) string { return strings.Join(s.texts(keys...), ",") }}
}

// ageColumn returns a column that shows how long ago a time was.
func ageColumn(header, path string) Column {
	keys := strings.Split(path, ".")
	return Column{Header: header, Fields: []string{path}, cell: func(s *Subject) string { return s.since(keys...) }}
}

// declared returns the column that a field of a kind declares in
// mesh.Field.Column.
func declared(f mesh.Field) Column {
	c := pathColumn(f.Column, f.Name)
	c.Wide = f.Wide
	return c
}

// fieldPlace returns a placeholder for the column that a field declares.
// withDeclared replaces it.
func fieldPlace(name string) Column { return Column{fieldName: name} }

// withDeclared adds the columns that the fields of a kind declare. Each
// replaces the placeholder that [fieldPlace] returned for it. A column without a
// placeholder is appended, or inserted before the columns of -o wide if it
// isn't one of them.
func withDeclared(kind string, columns []Column) []Column {
	k, _ := mesh.KindOf(kind)
	byName := map[string]mesh.Field{}
	for _, f := range k.Fields {
		if f.Column != "" {
			byName[f.Name] = f
		}
	}
	for i, c := range columns {
		if c.fieldName != "" {
			columns[i] = declared(byName[c.fieldName])
			delete(byName, c.fieldName)
		}
	}
	for _, f := range k.Fields {
		if _, left := byName[f.Name]; left {
			at := len(columns)
			if !f.Wide {
				if i := slices.IndexFunc(columns, func(c Column) bool { return c.Wide }); i >= 0 {
					at = i
				}
			}
			columns = slices.Insert(columns, at, declared(f))
		}
	}
	return columns
}

func asWide(columns ...Column) []Column {
	for i := range columns {
		columns[i].Wide = true
	}
	return columns
}

func asName(c Column) Column {
	c.isName = true
	return c
}

// proxyColumn returns the column that shows the proxy to which an object
// belongs. It is shown if a table contains objects of several proxies.
func proxyColumn() Column {
	return Column{
		Header: "PROXY", Sometimes: "objects of several proxies",
		cell: func(s *Subject) string {
			if s.Owner == nil { // the object was created by a query, which may have set a member proxy
				return s.Text("proxy")
			}
			return s.of(s.Owner).Text("id")
		},
		shown: varies,
	}
}

// varies reports whether the cells of a column differ.
func varies(rows []Row, at int) bool {
	return slices.ContainsFunc(rows, func(r Row) bool { return r[at] != rows[0][at] })
}

// hasOtherThan returns a function that reports whether a cell contains anything
// but the given words.
func hasOtherThan(words ...string) func([]Row, int) bool {
	return func(rows []Row, at int) bool {
		return slices.ContainsFunc(rows, func(r Row) bool { return !slices.Contains(words, r[at]) })
	}
}

// stateColumn returns the column with the state of a resource. It is shown if
// Envoy doesn't use some resource of the table, because its state is neither
// ACTIVE nor STATIC.
func stateColumn() Column {
	c := pathColumn("STATE", "state")
	c.Alarm, c.Sometimes, c.shown = true, "not all ACTIVE or STATIC; -o wide", hasOtherThan("ACTIVE", "STATIC", "", "-")
	return c
}
