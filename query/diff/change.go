package diff

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode"
)

// A Change is one place at which two values differ.
type Change struct {
	Section  Section
	Resource *Resource // the element of the section that it is in; nil for values of no kind
	Path     []any     // in the resource, or in the value: a's names and indexes, b's where a has it not
	Within   []string  // the names of the list elements on the way there
	A, B     any
	InA, InB bool
	Source   string // the Istio resource that it comes from, "DestinationRule/reviews.default"; empty where none is known
}

// Changes gives the places at which the sides of a section differ, in order.
func (s Section) Changes() []Change {
	if s.Edit == nil {
		return nil
	}
	w := &walk{section: s}
	if s.Edit.Resource == nil && s.Edit.List && len(s.Edit.Inside) > 0 && s.ofResources() {
		for i := range s.Edit.Inside {
			w.edit(&s.Edit.Inside[i], trail{})
		}
		return w.found
	}
	w.edit(s.Edit, trail{})
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

// A trail is the way to a place.
type trail struct {
	resource *Resource
	path     []any
	within   []string
	source   string
}

func (w *walk) edit(e *Edit, t trail) {
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

// step is the last step of the way to an edit.
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

// origin gives the Istio resource that one of two values says it was made of;
// else that of what they are in. A Pilot says what is true now.
func origin(around string, values ...any) string {
	for _, v := range values {
		if s := sourceName(textAt(v, "metadata", "filterMetadata", "istio", "config")); s != "" {
			return s
		}
	}
	return around
}

// sourceName reads "/apis/networking.istio.io/v1/namespaces/<ns>/<kind>/<name>".
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

// PathText writes a path as jq does: .virtualHosts[0].routes[6].name; "." for
// the value itself.
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
