package fleet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// A dump is a config dump whose elements can be chosen.
type dump struct{ sections []*section }

// A section is one of the messages of a dump.
type section struct {
	kind   string // "ClustersConfigDump"
	fields []*field
}

// A field is a member of a section: a value, or a list of elements.
type field struct {
	name     string
	list     bool
	value    []byte    // as it is written
	elements []element // of a list
}

// An element is a resource.
type element struct {
	name string // that name_regex is held against
	text []byte // as it is written
}

const typePrefix = "type.googleapis.com/envoy.admin.v3."

// The depths at which the parts of a dump are written.
const (
	resourceDepth = 2
	valueDepth    = 3
	elementDepth  = 4
)

// readDump reads a dump as Envoy gives it, with include_eds.
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

// add puts an element into a list.
func (f *field) add(raw []byte) error {
	text, err := indented(raw, elementDepth)
	if err != nil {
		return err
	}
	f.elements = append(f.elements, element{nameOf(raw), text})
	return nil
}

// nameOf gives the name of a resource in its wrapping, as Envoy takes it for
// name_regex.
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

// list gives a list of a section.
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

// size is how long the dump is, written out.
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

// A choice is what a request wants of a dump.
type choice struct {
	resource  string // a list, whose elements come alone; "": the sections
	mask      mask   // nil: all
	names     *regexp.Regexp
	endpoints bool
}

// had tells whether the Envoy has a section for the request.
func (c choice) had(s *section) bool { return s.kind != "EndpointsConfigDump" || c.endpoints }

func (c choice) named(e element) bool { return c.names == nil || c.names.MatchString(e.name) }

// render writes what is chosen of all sections. It gives nil when the mask
// fits none.
func (d *dump) render(c choice) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("{\n \"configs\": [")
	first := true
	for _, s := range d.sections {
		if !c.had(s) || !c.mask.fits(sectionMessage(s.kind)) {
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

func (s *section) render(b *bytes.Buffer, c choice) error {
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

func (f *field) render(b *bytes.Buffer, c choice) {
	n := 0
	for _, e := range f.elements {
		if !c.named(e) {
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
