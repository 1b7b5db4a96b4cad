package diff

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode"
)

// A Change is one difference between two values a and b.
type Change struct {
	Section  Section
	Resource *Resource // element of the section that contains the change; nil if the values have no known kind
	// Path is the path within the resource or value, with the names and indexes of side
	// a. If a has no value there, they are those of side b.
	Path     []any
	Within   []string // names of the list elements on the path
	A, B     any
	InA, InB bool
	// Source is the Istio resource that the changed part was generated from, such as
	// "DestinationRule/reviews.default". It is empty if that isn't known.
	Source string
}

// Changes returns the differences between the two sides of a section, in the order of the
// section.
func (s Section) Changes() []Change {
	if s.Edit == nil {
		return nil
	}
	w := &walk{section: s}
	if s.Edit.Resource == nil && s.Edit.List && len(s.Edit.Inside) > 0 && s.ofResources() {
		for i := range s.Edit.Inside {
			w.edit(&s.Edit.Inside[i], position{})
		}
		return w.found
	}
	w.edit(s.Edit, position{})
	return w.found
}

func (s Section) ofResources() bool {
	for i := range s.Edit.Inside {
		if s.Edit.Inside[i].Resource != nil {
			return true
		}
	}
	return false
}

type walk struct {
	section Section
	found   []Change
}

// position is the context of an edit: what its Change inherits from the enclosing edits.
type position struct {
	resource *Resource
	path     []any
	within   []string
	source   string
}

func (w *walk) edit(e *Edit, t position) {
	if e.Same || e.Hidden {
		return
	}
	if e.Resource != nil {
		t.resource = e.Resource
	}
	t.source = origin(t.source, e.A, e.B)
	if len(e.Inside) == 0 {
		w.found = append(w.found, Change{w.section, t.resource, t.path, t.within, e.A, e.B, e.InA, e.InB, t.source})
		return
	}
	for i := range e.Inside {
		inside := &e.Inside[i]
		next := t
		next.path = append(t.path[:len(t.path):len(t.path)], inside.step(e.List))
		if name := inside.name(); e.List && name != "" && inside.InA && inside.InB {
			next.within = append(t.within[:len(t.within):len(t.within)], name)
		}
		w.edit(inside, next)
	}
}

// step returns the last element of the path to an edit: a name or an index. list must be
// true if the edit is inside an array.
func (e *Edit) step(list bool) any {
	switch {
	case !list && e.InA:
		return e.KeyA
	case !list:
		return e.KeyB
	case e.InA:
		return e.IndexA
	}
	return e.IndexB
}

func (e *Edit) name() string {
	if name := textAt(e.A, "name"); name != "" {
		return name
	}
	return textAt(e.B, "name")
}

// origin returns the Istio resource that is named in the metadata of one of the values.
// If no value names one, it returns its first argument, the Istio resource of the
// enclosing value. The caller must pass istiod's value before Envoy's, because istiod is
// up to date.
func origin(around string, values ...any) string {
	for _, v := range values {
		if s := sourceName(textAt(v, "metadata", "filterMetadata", "istio", "config")); s != "" {
			return s
		}
	}
	return around
}

// sourceName converts a path "/apis/networking.istio.io/v1/namespaces/<ns>/<kind>/<name>"
// to "<Kind>/<name>.<ns>". It returns "" for any other string.
func sourceName(path string) string {
	words := strings.Split(path, "/")
	if len(words) != 8 || words[0] != "" || words[1] != "apis" || words[4] != "namespaces" {
		return ""
	}
	var kind strings.Builder
	for word := range strings.SplitSeq(words[6], "-") {
		if word != "" {
			kind.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return kind.String() + "/" + words[7] + "." + words[5]
}

// PathText formats a path in jq's syntax, such as .virtualHosts[0].routes[6].name. The
// text for an empty path is ".".
func PathText(path []any) string {
	if len(path) == 0 {
		return "."
	}
	var out strings.Builder
	for i, step := range path {
		switch s := step.(type) {
		case int:
			if i == 0 {
				out.WriteByte('.')
			}
			out.WriteString("[" + strconv.Itoa(s) + "]")
		case string:
			if isWord(s) {
				out.WriteString("." + s)
				continue
			}
			text, err := json.Marshal(s)
			if err == nil {
				out.WriteString(".[" + string(text) + "]")
			}
		}
	}
	return out.String()
}

func isWord(s string) bool {
	for i, c := range s {
		if c > unicode.MaxASCII || c != '_' && !unicode.IsLetter(c) && (i == 0 || !unicode.IsDigit(c)) {
			return false
		}
	}
	return s != ""
}
