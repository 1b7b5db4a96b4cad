package sources

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/meshq/kubectl-meshq/sources/envoy"
	"github.com/meshq/kubectl-meshq/sources/kube"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// Kinds gives the kinds of the document, Kubernetes' own left out, with all
// fields that are ours: for help and completion.
func Kinds() []mesh.Kind {
	kinds := mesh.Kinds()
	for i := range kinds {
		if kinds[i].Name != "Mesh" {
			continue
		}
		for _, l := range kube.Lists() {
			kinds[i].Fields = append(kinds[i].Fields, mesh.Field{Name: l.Field, Doc: l.Doc, Cost: mesh.OnDemand, Of: l.Kind})
		}
	}
	return kinds
}

// FieldsOf gives all fields of a kind: ours, then Envoy's own by name. A kind
// that isn't ours has none.
func FieldsOf(kind string) []mesh.Field {
	for _, k := range Kinds() {
		if k.Name != kind {
			continue
		}
		fields := k.Fields
		for _, name := range envoy.MessageFields(kind) {
			if !slices.ContainsFunc(fields, func(f mesh.Field) bool { return f.Name == name }) {
				fields = append(fields, mesh.Field{Name: name})
			}
		}
		return fields
	}
	return nil
}

// A Vocabulary knows which fields the kinds have, and says what may have been
// meant by one that none has. It may be used by several goroutines at once.
type Vocabulary struct {
	functions map[string]string // how each is called

	mu     sync.Mutex
	fields map[string][]string // by kind; nil for kinds of which any field may be
	hints  map[[2]string]string
}

// NewVocabulary gives one that knows the functions, too: by name, how each is
// called ("cluster(name)").
func NewVocabulary(functions map[string]string) *Vocabulary {
	return &Vocabulary{functions: functions, fields: map[string][]string{}, hints: map[[2]string]string{}}
}

// Hint says what to tell about a field that a kind does not have: "Proxy has
// no field rsd; did you mean rds?", "synced is a function: write .synced()".
// Empty when there is nothing to say: the kind has the field, or may have it.
func (v *Vocabulary) Hint(kind, field string) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	key := [2]string{kind, field}
	h, ok := v.hints[key]
	if !ok {
		h = v.hint(kind, field)
		v.hints[key] = h
	}
	return h
}

func (v *Vocabulary) hint(kind, field string) string {
	fields, ok := v.fields[kind]
	if !ok {
		fields = closed(kind)
		v.fields[kind] = fields
	}
	if fields == nil || slices.Contains(fields, field) || strings.HasPrefix(field, "@") {
		return ""
	}
	if call, ok := v.functions[field]; ok {
		return fmt.Sprintf("%s is a function: write .%s", field, call)
	}
	text := fmt.Sprintf("%s has no field %s", kind, field)
	if near := nearest(field, fields); near != "" {
		text += "; did you mean " + near + "?"
	}
	return text
}

// closed gives the fields of a kind that has no others; nil for any else.
func closed(kind string) []string {
	for _, k := range mesh.Kinds() {
		if k.Name == kind && k.Open {
			return nil
		}
	}
	var names []string
	for _, f := range FieldsOf(kind) {
		names = append(names, f.Name)
	}
	if names != nil {
		names = append(names, "kind")
	}
	return names
}

// nearest gives the name that differs least from a word, if it is near: in
// case and underscores only, or by one letter in three.
func nearest(word string, names []string) string {
	bare := func(s string) string { return strings.ToLower(strings.ReplaceAll(s, "_", "")) }
	best, least := "", len(word)/3+1
	for _, n := range names {
		d := 0
		if bare(n) != bare(word) {
			d = distance(word, n)
		}
		if d < least {
			best, least = n, d
		}
	}
	return best
}

// distance counts the letters to put in, take out, change or swap with their
// neighbour to make one word of another.
func distance(a, b string) int {
	before, last, row := []int(nil), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := last[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(last[j]+1, row[j-1]+1, change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, make([]int, len(b)+1)
	}
	return last[len(b)]
}
