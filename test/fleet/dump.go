package fleet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
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
	valueDepth   = 3
	elementDepth = 4
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

// fieldsOf are all fields that a section could have: a mask that names another
// one doesn't fit it.
func fieldsOf(kind string) []string {
	switch kind {
	case "BootstrapConfigDump":
		return []string{"bootstrap", "last_updated"}
	case "ClustersConfigDump":
		return []string{"version_info", "static_clusters", "dynamic_active_clusters", "dynamic_warming_clusters"}
	case "EndpointsConfigDump":
		return []string{"static_endpoint_configs", "dynamic_endpoint_configs"}
	case "ListenersConfigDump":
		return []string{"version_info", "static_listeners", "dynamic_listeners"}
	case "ScopedRoutesConfigDump":
		return []string{"inline_scoped_route_configs", "dynamic_scoped_route_configs"}
	case "RoutesConfigDump":
		return []string{"static_route_configs", "dynamic_route_configs"}
	case "SecretsConfigDump":
		return []string{"static_secrets", "dynamic_active_secrets", "dynamic_warming_secrets"}
	case "EcdsConfigDump":
		return []string{"ecds_filters"}
	}
	return nil
}

// A choice is what a request wants of a dump.
type choice struct {
	mask      []string // fields of one kind of section; nil: all of all
	names     *regexp.Regexp
	endpoints bool
}

// render writes what is chosen. It gives nil when the mask fits nothing.
func (d *dump) render(c choice) []byte {
	var b bytes.Buffer
	b.WriteString("{\n \"configs\": [")
	first := true
	for _, s := range d.sections {
		if s.kind == "EndpointsConfigDump" && !c.endpoints || !c.fits(s.kind) {
			continue
		}
		if !first {
			b.WriteByte(',')
		}
		first = false
		s.render(&b, c)
	}
	if first && c.mask != nil {
		return nil
	}
	b.WriteString("\n ]\n}\n")
	return b.Bytes()
}

func (c choice) fits(kind string) bool {
	return !slices.ContainsFunc(c.mask, func(name string) bool { return !slices.Contains(fieldsOf(kind), name) })
}

func (s *section) render(b *bytes.Buffer, c choice) {
	fmt.Fprintf(b, "\n  {\n   \"@type\": \"%s%s\"", typePrefix, s.kind)
	for _, f := range s.fields {
		if c.mask != nil && !slices.Contains(c.mask, f.name) {
			continue
		}
		if !f.list {
			fmt.Fprintf(b, ",\n   %q: %s", f.name, f.value)
			continue
		}
		n := 0
		for _, e := range f.elements {
			if c.names != nil && !c.names.MatchString(e.name) {
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
	b.WriteString("\n  }")
}
