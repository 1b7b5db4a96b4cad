package fleet

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	_ "github.com/envoyproxy/go-control-plane/envoy/admin/v3" // the messages of a dump, and what its Anys hold
	_ "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// A mask is the paths of fields that a message is trimmed to, as Envoy's admin
// port has it: checkFieldMaskAndTrimMessage and trimResourceMessage in
// source/server/admin/config_dump_handler.cc.
type mask [][]string

// newMask reads a parameter as protobuf's FieldMaskUtil::FromString does.
func newMask(text string) (m mask) {
	for path := range strings.SplitSeq(text, ",") {
		if path != "" {
			m = append(m, strings.Split(path, "."))
		}
	}
	return m
}

const anyName = "google.protobuf.Any"

// sectionMessage is what a section of a dump is written from; nil when it is
// none that Envoy has.
func sectionMessage(kind string) protoreflect.MessageDescriptor {
	return messageAt(typePrefix + kind)
}

// fits tells whether a message can be trimmed: each path is of fields that it
// has, and doesn't go on behind a repeated one.
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

// trimElement trims an element of a section's list: a path may go on inside
// one Any of it, but has to name a field there. ok is false when the mask
// doesn't fit.
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

// messageOf gives the message that an Any holds.
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

// trim leaves out what no path leads to. An empty mask trims nothing.
func (m mask) trim(raw []byte) ([]byte, error) {
	raw = bytes.TrimSpace(raw)
	if len(m) == 0 || len(raw) == 0 || raw[0] != '{' { // a duration, say, is no object
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

// below gives the mask of a field: empty where the whole field is named.
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
