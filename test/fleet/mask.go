package fleet

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	_ "github.com/envoyproxy/go-control-plane/envoy/admin/v3" // registers the messages of a dump and those inside their Anys
	_ "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// A mask is a set of field paths that a message is trimmed to. It follows Envoy's admin port:
// checkFieldMaskAndTrimMessage and trimResourceMessage in source/server/admin/config_dump_handler.cc.
type mask [][]string

// newMask parses a mask parameter as protobuf's FieldMaskUtil::FromString does.
func newMask(text string) (m mask) {
	for path := range strings.SplitSeq(text, ",") {
		if path != "" {
			m = append(m, strings.Split(path, "."))
		}
	}
	return m
}

const anyName = "google.protobuf.Any"

// sectionMessage returns the descriptor of a section's message. It returns nil if Envoy has no such section.
func sectionMessage(kind string) protoreflect.MessageDescriptor {
	return messageAt(typePrefix + kind)
}

// fits reports whether a message can be trimmed to the mask: every path consists of fields that exist, and no path
// continues after a repeated field.
func (m mask) fits(message protoreflect.MessageDescriptor) bool {
	return !slices.ContainsFunc(m, func(path []string) bool { return !known(message, path) })
}

func known(message protoreflect.MessageDescriptor, path []string) bool {
	for _, name := range path {
		if message == nil {
			return false
		}
		f := message.Fields().ByName(protoreflect.Name(name))
		if f == nil {
			return false
		}
		message = nil
		if f.Cardinality() != protoreflect.Repeated {
			message = f.Message() // nil for a scalar
		}
	}
	return true
}

// trimElement trims an element of a section's list. A path may continue inside an Any of the element, but must then
// name a field of the Any's message. ok is false if the mask doesn't fit.
func (m mask) trimElement(of protoreflect.MessageDescriptor, raw []byte) (out []byte, ok bool, err error) {
	all, err := members(raw)
	if err != nil {
		return nil, false, err
	}
	for _, path := range m {
		f := of.Fields().ByName(protoreflect.Name(path[0]))
		if f == nil || f.Message() == nil || f.Message().FullName() != anyName {
			if !known(of, path) {
				return nil, false, nil
			}
			continue
		}
		if inside := value(all, path[0]); inside != nil && (len(path) == 1 || !known(messageOf(inside), path[1:])) {
			return nil, false, nil
		}
	}
	out, err = m.trim(raw)
	return out, true, err
}

// messageOf returns the descriptor of the message inside an Any.
func messageOf(raw []byte) protoreflect.MessageDescriptor {
	var is struct {
		URL string `json:"@type"`
	}
	if json.Unmarshal(raw, &is) != nil {
		return nil
	}
	return messageAt(is.URL)
}

func messageAt(url string) protoreflect.MessageDescriptor {
	t, err := protoregistry.GlobalTypes.FindMessageByURL(url)
	if err != nil {
		return nil
	}
	return t.Descriptor()
}

// trim removes the fields that no path leads to. An empty mask removes nothing.
func (m mask) trim(raw []byte) ([]byte, error) {
	raw = bytes.TrimSpace(raw)
	if len(m) == 0 || len(raw) == 0 || raw[0] != '{' { // some messages, such as a Duration, are not written as objects
		return raw, nil
	}
	all, err := members(raw)
	if err != nil {
		return nil, err
	}
	kept := all[:0]
	for _, one := range all {
		inner, named := m.below(one.key)
		if !named && one.key != "@type" {
			continue
		}
		if one.value, err = inner.trim(one.value); err != nil {
			return nil, err
		}
		kept = append(kept, one)
	}
	return object(kept), nil
}

// below returns the part of the mask that applies to a field's message. It is empty if a path names the whole field.
func (m mask) below(field string) (inner mask, named bool) {
	for _, path := range m {
		switch {
		case path[0] != field:
		case len(path) == 1:
			return nil, true
		default:
			inner, named = append(inner, path[1:]), true
		}
	}
	return inner, named
}
