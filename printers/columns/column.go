package columns

import (
	"slices"
	"strings"
)

// A Column is a column of the table of a kind.
type Column struct {
	Header string
	Wide   bool // only with -o wide

	// Fields are the paths of what it looks at, all that a row of it loads;
	// WideFields what it looks at besides with -o wide.
	Fields     []string
	WideFields []string

	// Sometimes says when it is there, for a column that isn't always; empty
	// for one that is.
	Sometimes string

	Key   string // the member it shows, in a table of objects of any kinds
	cell  func(*Subject) string
	shown func(rows []Row, at int) bool // nil: always
	name  bool                          // it names the object, as kubectl's NAME
	Alarm bool                          // alarming words stand red
}

// A Kind is the table of a kind of objects.
type Kind struct {
	Name    string
	Group   string // the API group, of Kubernetes' kinds outside the core
	Columns []Column

	kubernetes bool
	labels     []string                  // the path of its labels; nil: it has none
	rows       func(*Subject) []*Subject // nil: one row, about the object
	none       string                    // what an empty cell says
	fields     []string                  // the top-level fields that the columns read
}

// Key is what a kind is looked up by: its name, and for Kubernetes kinds its
// group.
func (k Kind) Key() string {
	if !k.kubernetes {
		return k.Name
	}
	return k.Group + "/" + k.Name
}

// IsShown reports whether the column at an index is shown above rows.
func (c Column) IsShown(rows []Row, at int) bool { return c.shown == nil || c.shown(rows, at) }

// Kinds are the tables, in the order of the document. Any other Kubernetes
// kind has the columns of [Other].
func Kinds() []Kind {
	return slices.Concat(
		[]Kind{pilotKind(), proxyKind()},
		envoyKinds(), ztunnelKinds(), kubernetesKinds(),
		[]Kind{differenceKind(), traceKind(), faultKind(), findingKind()},
	)
}

// Other is the table of the Kubernetes kinds that have none of their own.
func Other() Kind {
	return kubernetesKind("", "")
}

// path makes a column of one member.
func path(header, path string) Column {
	keys := strings.Split(path, ".")
	return Column{Header: header, Fields: []string{path}, cell: func(s *Subject) string { return s.Text(keys...) }}
}

// listing makes a column of the elements of an array.
func listing(header, path string) Column {
	keys := strings.Split(path, ".")
	return Column{Header: header, Fields: []string{path}, cell: func(s *Subject) string { return strings.Join(s.texts(keys...), ",") }}
}

// age makes a column of how long ago a time was.
func age(header, path string) Column {
	keys := strings.Split(path, ".")
	return Column{Header: header, Fields: []string{path}, cell: func(s *Subject) string { return s.since(keys...) }}
}

func wide(columns ...Column) []Column {
	for i := range columns {
		columns[i].Wide = true
	}
	return columns
}

func naming(c Column) Column {
	c.name = true
	return c
}

// proxyColumn says whose an object is, when a block has those of several.
func proxyColumn() Column {
	return Column{
		Header: "PROXY", Sometimes: "objects of several proxies",
		cell: func(s *Subject) string {
			if s.Owner == nil { // made by a query, which may say it
				return s.Text("proxy")
			}
			return s.of(s.Owner).Text("id")
		},
		shown: varies,
	}
}

// varies shows a column whose cells are not all the same.
func varies(rows []Row, at int) bool {
	return slices.ContainsFunc(rows, func(r Row) bool { return r[at] != rows[0][at] })
}

// unless shows a column when a cell says something else than the words given.
func unless(words ...string) func([]Row, int) bool {
	return func(rows []Row, at int) bool {
		return slices.ContainsFunc(rows, func(r Row) bool { return !slices.Contains(words, r[at]) })
	}
}

// stateColumn is there when Envoy doesn't simply use what it says.
func stateColumn() Column {
	c := path("STATE", "state")
	c.Alarm, c.Sometimes, c.shown = true, "not all ACTIVE or STATIC; -o wide", unless("ACTIVE", "STATIC", "", "-")
	return c
}
