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

// Kinds returns the kinds of the document, except those of Kubernetes, with the
// fields that the plugin defines. It is meant for help and completion.
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

// FieldsOf returns all fields of a kind: the plugin's own fields, followed by
// Envoy's fields, which have a name only. It returns nil for a kind that the plugin
// doesn't define.
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

// A Vocabulary lists the fields of the kinds, and suggests a similar name for a
// field that doesn't exist. Several goroutines may use it at once.
type Vocabulary struct {
	functions map[string]string // maps each function's name to a call of it, such as "cluster(name)"

	mu     sync.Mutex
	fields map[string][]string // the field names of each kind; nil for a kind whose objects may have any field
	hints  map[[2]string]string
}

// NewVocabulary returns a vocabulary that includes the given functions. The map
// contains a call for each function's name, such as "cluster(name)".
func NewVocabulary(functions map[string]string) *Vocabulary {
	return &Vocabulary{functions: functions, fields: map[string][]string{}, hints: map[[2]string]string{}}
}

// Hint returns a message about a field that a kind doesn't have, such as "Proxy has
// no field rsd; did you mean rds?" or "synced is a function: write .synced()". It
// returns "" if the kind has the field or may have it.
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
	if members := kubernetesMembers(kind); members != nil {
		return kubernetesHint(kind, field, members)
	}
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

// kubernetesMembers returns the names of the fields of a Kubernetes kind in the
// document, or nil for any other kind.
func kubernetesMembers(kind string) []mesh.Member {
	for _, l := range kube.Lists() {
		if l.Kind == kind {
			shapes := mesh.Shapes()
			if members, ok := shapes[kind]; ok {
				return members
			}
			return shapes["KubernetesObject"]
		}
	}
	return nil
}

// kubernetesHint returns a message about a field that a Kubernetes object has in
// its metadata or specification, but not at the top. It returns no message about
// other fields, because the vocabulary doesn't list all fields of Kubernetes
// kinds.
func kubernetesHint(kind, field string, members []mesh.Member) string {
	isMember := func(all []mesh.Member, name string) bool {
		return slices.ContainsFunc(all, func(m mesh.Member) bool { return m.Name == name })
	}
	shapes := mesh.Shapes()
	switch {
	case isMember(members, field):
	case isMember(shapes["ObjectMeta"], field):
		return fmt.Sprintf("%s has no field %s; did you mean .metadata.%s?", kind, field, field)
	case isMember(shapes[kind+"Spec"], field):
		return fmt.Sprintf("%s has no field %s; did you mean .spec.%s?", kind, field, field)
	}
	return ""
}

// closed returns the names of all fields of a kind. It returns nil if the kind is
// unknown or if its objects may have fields that aren't listed.
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

// nearest returns the name that is most similar to a word. It returns "" if no name
// is similar: a similar name differs only in case and underscores, or by at most one
// edit for every three letters of the word.
func nearest(word string, names []string) string {
	bare := func(s string) string { return strings.ToLower(strings.ReplaceAll(s, "_", "")) }
	best, least := "", len(word)/3+1
	for _, n := range names {
		d := 0
		if bare(n) != bare(word) {
			d = mesh.Distance(word, n)
		}
		if d < least {
			best, least = n, d
		}
	}
	return best
}
