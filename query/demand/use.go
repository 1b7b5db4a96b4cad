package demand

import (
	"maps"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// As returns the tree for a value of a known kind. It replaces Shown by everything that
// printing the value reads. The callback returns the paths of the fields that printing an
// object of a kind reads, or false if printing reads everything. A printed value without
// a kind is read completely.
func (t *Tree) As(kind string, of func(kind string) (fields []string, ok bool)) *Tree {
	k, known := mesh.KindOf(kind)
	if t == nil || t.All || !known {
		return t.plain()
	}
	sum := &Tree{Few: t.Few, Count: t.Count, Members: t.Members.plain()}
	if t.Shown {
		fields, ok := of(kind)
		if !ok {
			return everything()
		}
		for _, path := range fields {
			sum = Join(sum, along(strings.Split(path, ".")))
		}
	}
	inside := map[string]*Tree{}
	for name, f := range t.Fields {
		inside[name] = f.plain()
		i := slices.IndexFunc(k.Fields, func(f mesh.Field) bool { return f.Name == name })
		if i >= 0 && k.Fields[i].Of != "" && f != nil && !f.whole() { // this field contains an array
			inside[name] = &Tree{Count: f.Count, Items: f.Items.As(k.Fields[i].Of, of)}
		}
	}
	return Join(sum, &Tree{Fields: inside})
}

// plain returns the tree for a value without a kind, which is read completely if it is
// printed.
func (t *Tree) plain() *Tree {
	switch {
	case t == nil:
		return nil
	case t.All || t.Shown:
		return everything()
	}
	sum := &Tree{Few: t.Few, Count: t.Count, Members: t.Members.plain(), Items: t.Items.plain()}
	if t.Fields != nil {
		sum.Fields = map[string]*Tree{}
		for name, f := range t.Fields {
			sum.Fields[name] = f.plain()
		}
	}
	return sum
}

// along returns a tree in which everything at the given path is read.
func along(path []string) *Tree {
	t := everything()
	for _, name := range slices.Backward(path) {
		t = field(name, t)
	}
	return t
}

// A Use describes which parts of a section, such as the clusters of a proxy, a query
// reads.
type Use struct {
	Section mesh.Section
	Tree    *Tree
}

// Sections returns which parts of the proxies' sections a query reads whose input is the
// mesh. They are in the order of the document. t must have been returned by [Tree.As].
func (t *Tree) Sections() []Use { return t.Field("proxies").Item().sections() }

// Desired does the same as Sections, for the configuration that istiod would send to each
// proxy.
func (t *Tree) Desired() []Use { return t.Field("proxies").Item().Field("desired").sections() }

func (proxies *Tree) sections() (uses []Use) {
	for _, part := range mesh.Sections() {
		if s := proxies.Field(string(part.Name)); s != nil {
			uses = append(uses, Use{part.Name, s})
		}
	}
	return uses
}

// Hint converts the use to a [mesh.Hint] for the section's source. The hint's Fields are
// nil if everything is read. They are empty but not nil if at most the number of elements
// is read.
func (u Use) Hint() mesh.Hint {
	fields, all := u.Tree.fieldsRead(u.list())
	if all {
		t := u.Tree.Items
		return mesh.Hint{Few: u.list() && !u.Tree.All && t.Few && !t.All}
	}
	return mesh.Hint{Fields: fields}
}

// list reports whether the section is an array.
func (u Use) list() bool {
	return slices.ContainsFunc(mesh.Sections(), func(p mesh.Part) bool { return p.Name == u.Section && p.Of != "" })
}

// String returns a text such as "clusters: name, type" or "clusters: count".
func (u Use) String() string {
	fields, all := u.Tree.fieldsRead(u.list())
	what := strings.Join(fields, ", ")
	switch {
	case all:
		what = "all"
	case what == "" && u.Tree.Count:
		what = "count"
	case what == "":
		what = "whether it is there"
	}
	return string(u.Section) + ": " + what
}

// fieldsRead returns the paths of the fields of a section that are read. all is true if
// everything is read. list must be true if the section is an array.
func (t *Tree) fieldsRead(list bool) (fields []string, all bool) {
	if list && !t.All {
		t = t.Items
	}
	fields = []string{}
	if t == nil {
		return fields, false
	}
	// the query may read the names of all members, so none may be omitted
	if t.All || t.Few || t.Members != nil || list && t.Count {
		return nil, true
	}
	return t.paths(fields, ""), false
}

// paths appends the paths of the fields that are read to out. A path ends at the first
// value that isn't an object, because a path can't lead into an array.
func (t *Tree) paths(out []string, before string) []string {
	for _, name := range slices.Sorted(maps.Keys(t.Fields)) {
		f := t.Fields[name]
		if f == nil || len(f.Fields) == 0 || f.All || f.Count || f.Members != nil || f.Items != nil {
			out = append(out, before+name)
			continue
		}
		out = f.paths(out, before+name+".")
	}
	return out
}
