package fleet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// A dump is a parsed config dump, from which a request selects elements.
type dump struct{ sections []*section }

// A section is one message of a dump, such as a ClustersConfigDump.
type section struct {
	kind   string // the message's name, "ClustersConfigDump"
	fields []*field
}

// A field is a member of a section: a single value or a list of elements.
type field struct {
	name     string
	list     bool
	value    []byte    // JSON, indented for the output
	elements []element // the elements of a list
}

// An element is one resource in a list.
type element struct {
	name string // the name that name_regex is matched against
	text []byte // JSON, indented for the output
}

const typePrefix = "type.googleapis.com/envoy.admin.v3."

// The levels of indentation at which the parts of a dump are written.
const (
	resourceDepth = 2
	valueDepth    = 3
	elementDepth  = 4
)

// readDump parses a dump that Envoy wrote with include_eds.
func readDump(text []byte) (*dump, error) {
	var whole struct{ Configs []json.RawMessage }
	if err := json.Unmarshal(text, &whole); err != nil {
		return nil, err
	}
	d := &dump{}
	for _, config := range whole.Configs {
		s, err := readSection(config)
		if err != nil {
			return nil, err
		}
		d.sections = append(d.sections, s)
	}
	return d, nil
}

func readSection(config []byte) (*section, error) {
	all, err := members(config)
	if err != nil {
		return nil, err
	}
	s := &section{}
	for _, m := range all {
		if m.key == "@type" {
			s.kind = strings.TrimPrefix(strings.Trim(string(m.value), `"`), typePrefix)
			continue
		}
		f := &field{name: m.key}
		s.fields = append(s.fields, f)
		if f.list = m.value[0] == '['; !f.list {
			if f.value, err = indented(m.value, valueDepth); err != nil {
				return nil, err
			}
			continue
		}
		list, err := elements(m.value)
		if err != nil {
			return nil, err
		}
		for _, e := range list {
			if err := f.add(e); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

// add appends an element to a list.
func (f *field) add(raw []byte) error {
	text, err := indented(raw, elementDepth)
	if err != nil {
		return err
	}
	f.elements = append(f.elements, element{nameOf(raw), text})
	return nil
}

// nameOf returns the name of a resource, given the message that wraps it. Envoy matches name_regex against the same
// name.
func nameOf(raw []byte) string {
	type named struct {
		Name        string
		ClusterName string `json:"cluster_name"`
	}
	var e struct {
		named
		Cluster, Listener named
		RouteConfig       named `json:"route_config"`
		EndpointConfig    named `json:"endpoint_config"`
	}
	if json.Unmarshal(raw, &e) != nil {
		return ""
	}
	for _, n := range []named{e.named, e.Cluster, e.Listener, e.RouteConfig, e.EndpointConfig} {
		if n.Name != "" {
			return n.Name
		}
		if n.ClusterName != "" {
			return n.ClusterName
		}
	}
	return ""
}

// list returns a list of a section. It returns nil if there is none.
func (d *dump) list(kind, name string) *field {
	for _, s := range d.sections {
		for _, f := range s.fields {
			if s.kind == kind && f.name == name {
				return f
			}
		}
	}
	return nil
}

// size estimates the size of the rendered dump in bytes.
func (d *dump) size() (n int64) {
	for _, s := range d.sections {
		for _, f := range s.fields {
			n += int64(len(f.name) + len(f.value) + 12)
			for _, e := range f.elements {
				n += int64(len(e.text) + 6)
			}
		}
	}
	return n
}

// A selection is what a request selects from a dump.
type selection struct {
	resource  string // the list whose elements are returned alone; "" selects whole sections
	mask      mask   // nil selects all fields
	names     *regexp.Regexp
	endpoints bool
}

// includes reports whether Envoy includes the section in its answer: endpoints only come with include_eds.
func (c selection) includes(s *section) bool { return s.kind != "EndpointsConfigDump" || c.endpoints }

func (c selection) matchesName(e element) bool { return c.names == nil || c.names.MatchString(e.name) }

// render writes the selection from all sections. It returns nil if the mask fits no section.
func (d *dump) render(c selection) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("{\n \"configs\": [")
	first := true
	for _, s := range d.sections {
		if !c.includes(s) || !c.mask.fits(sectionMessage(s.kind)) {
			continue
		}
		if !first {
			b.WriteByte(',')
		}
		first = false
		if err := s.render(&b, c); err != nil {
			return nil, err
		}
	}
	if first && c.mask != nil {
		return nil, nil
	}
	b.WriteString("\n ]\n}\n")
	return b.Bytes(), nil
}

func (s *section) render(b *bytes.Buffer, c selection) error {
	fmt.Fprintf(b, "\n  {\n   \"@type\": \"%s%s\"", typePrefix, s.kind)
	for _, f := range s.fields {
		inner, named := c.mask.below(f.name)
		if c.mask != nil && !named {
			continue
		}
		if f.list {
			f.render(b, c)
			continue
		}
		v, err := inner.trim(f.value)
		if err == nil && inner != nil {
			v, err = indented(v, valueDepth)
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(b, ",\n   %q: %s", f.name, v)
	}
	b.WriteString("\n  }")
	return nil
}

func (f *field) render(b *bytes.Buffer, c selection) {
	n := 0
	for _, e := range f.elements {
		if !c.matchesName(e) {
			continue
		}
		if n++; n == 1 {
			fmt.Fprintf(b, ",\n   %q: [\n    ", f.name)
		} else {
			b.WriteString(",\n    ")
		}
		b.Write(e.text)
	}
	if n > 0 {
		b.WriteString("\n   ]")
	}
}
