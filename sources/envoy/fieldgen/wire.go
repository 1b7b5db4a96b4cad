package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// otherModules are the Go modules of OpenTelemetry's messages, which are fields
// of Envoy's extensions. The plugin imports no package of these modules.
var otherModules = []string{"go.opentelemetry.io/proto/otlp@v1.10.0"}

// wireModules returns the modules that define the messages in xDS responses.
func wireModules() []string { return slices.Concat(envoyModules, istioModules[:1], otherModules) }

// kindLetters contains the letter by which the wire table denotes each kind of
// field.
var kindLetters = map[protoreflect.Kind]byte{
	protoreflect.BoolKind: 'o', protoreflect.Int32Kind: 'i', protoreflect.Int64Kind: 'I', protoreflect.Uint32Kind: 'u', protoreflect.Uint64Kind: 'U',
	protoreflect.Sint32Kind: 'z', protoreflect.Sint64Kind: 'Z', protoreflect.Fixed32Kind: 'f', protoreflect.Fixed64Kind: 'F',
	protoreflect.Sfixed32Kind: 'g', protoreflect.Sfixed64Kind: 'G', protoreflect.FloatKind: 'l', protoreflect.DoubleKind: 'd',
	protoreflect.StringKind: 's', protoreflect.BytesKind: 'b', protoreflect.EnumKind: 'e', protoreflect.MessageKind: 'm',
}

// wire returns the table with which sources/xds decodes messages in wire format,
// compressed with gzip. Each line is a message or an enumeration:
//
//	name number[*]kind jsonName [type], …
//	#name number value, …
//
// A star marks a list, and kind is one of kindLetters, or % for a map, whose type is
// the message of its entries. It contains the messages that Envoys are sent, and
// those that are types of their fields.
func wire(files *protoregistry.Files) ([]byte, error) {
	lines := map[string]string{}
	var add func(m protoreflect.MessageDescriptor)
	add = func(m protoreflect.MessageDescriptor) {
		name := string(m.FullName())
		if _, ok := lines[name]; ok || m.IsPlaceholder() {
			return
		}
		lines[name] = "" // an entry ends the recursion if a message contains itself
		var fields []string
		for _, f := range inOrder(m) {
			kind, kindOf := string(kindLetters[f.Kind()]), ""
			switch {
			case f.IsMap():
				kind = "%"
			case f.IsList():
				kind = "*" + kind
			}
			if t := f.Message(); t != nil {
				kindOf = " " + string(t.FullName())
				add(t)
			}
			if e := f.Enum(); e != nil {
				kindOf = " " + string(e.FullName())
				lines["#"+string(e.FullName())] = valuesOf(e)
			}
			fields = append(fields, fmt.Sprintf("%d%s %s%s", f.Number(), kind, f.JSONName(), kindOf))
		}
		lines[name] = strings.Join(fields, ",")
	}
	var all func(m protoreflect.MessageDescriptors)
	all = func(m protoreflect.MessageDescriptors) {
		for i := range m.Len() {
			add(m.Get(i))
			all(m.Get(i).Messages())
		}
	}
	files.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		if isSent(string(f.Package())) {
			all(f.Messages())
		}
		return true
	})
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(lines)) {
		if _, err := fmt.Fprintf(w, "%s %s\n", name, lines[name]); err != nil {
			return nil, err
		}
	}
	err = w.Close()
	return out.Bytes(), err
}

// valuesOf lists the values of an enumeration. If several names have one number,
// the first name is the one that JSON uses.
func valuesOf(e protoreflect.EnumDescriptor) string {
	var values []string
	seen := map[protoreflect.EnumNumber]bool{}
	for i := range e.Values().Len() {
		if v := e.Values().Get(i); !seen[v.Number()] {
			seen[v.Number()] = true
			values = append(values, fmt.Sprintf("%d %s", v.Number(), v.Name()))
		}
	}
	return strings.Join(values, ",")
}

// isSent reports whether the messages of a package are sent to Envoys. These are
// the messages of Envoy's API after version 2, and those of Istio's extensions to
// Envoy.
func isSent(pkg string) bool {
	words := strings.Split(pkg, ".")
	switch words[0] {
	case "envoy":
		return len(words) > 1 && slices.Contains([]string{"config", "extensions", "type", "tcp"}, words[1]) && !slices.Contains(words, "v2") && !slices.Contains(words, "v2alpha")
	case "istio":
		return words[1] == "envoy"
	case "google":
		return pkg == "google.protobuf"
	case "xds", "udpa", "stats":
		return true
	}
	return false
}
