package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// envoyModules are the Go modules that define the messages in a config dump: Envoy's
// own messages, and those of other projects that occur as fields in Envoy's.
var envoyModules = []string{
	"github.com/envoyproxy/go-control-plane/envoy",
	"github.com/cncf/xds/go",
	"cel.dev/expr",
	"google.golang.org/genproto/googleapis/api",
	"google.golang.org/genproto/googleapis/rpc",
}

// wellKnown are the files of google.protobuf whose messages occur in Envoy's
// and Istio's messages.
var wellKnown = []protoreflect.FileDescriptor{
	anypb.File_google_protobuf_any_proto, durationpb.File_google_protobuf_duration_proto,
	emptypb.File_google_protobuf_empty_proto, fieldmaskpb.File_google_protobuf_field_mask_proto,
	structpb.File_google_protobuf_struct_proto, timestamppb.File_google_protobuf_timestamp_proto,
	wrapperspb.File_google_protobuf_wrappers_proto,
}

// istioModules are the Go modules that define Istio's messages, and those of other
// projects that occur as fields in Istio's. Their versions are set here, because the
// plugin imports no package of Istio and so go.mod doesn't contain them.
var istioModules = []string{
	"istio.io/api@v1.31.0-rc.0.0.20260824154656-b943409680a7",
	"google.golang.org/genproto/googleapis/api",
}

// descriptors returns every descriptor of the modules. It reads them from the text
// of the generated Go files, because importing all of these packages would need gRPC
// and half a minute to build. Messages that the modules import from elsewhere
// (OpenTelemetry's and Prometheus') stay placeholders.
func descriptors(modules []string) (*protoregistry.Files, error) {
	set := &descriptorpb.FileDescriptorSet{}
	seen := map[string]bool{}
	for _, f := range wellKnown {
		seen[f.Path()] = true
		set.File = append(set.File, protodesc.ToFileDescriptorProto(f))
	}
	for _, m := range modules {
		dir, err := moduleDir(m)
		if err != nil {
			return nil, err
		}
		err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !generated(path) {
				return err
			}
			f, err := rawDescriptor(path)
			if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			if f != nil && !seen[f.GetName()] {
				seen[f.GetName()] = true
				set.File = append(set.File, f)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return protodesc.FileOptions{AllowUnresolvable: true}.NewFiles(set)
}

// generated reports whether a file may contain a descriptor. It must be a .pb.go file
// that isn't the output of another plugin of protoc.
func generated(path string) bool {
	return strings.HasSuffix(path, ".pb.go") && !strings.HasSuffix(path, "_vtproto.pb.go") && !strings.HasSuffix(path, "_grpc.pb.go")
}

// moduleDir returns the directory of a module. If the module has no "@version", it uses
// the version in go.mod.
func moduleDir(module string) (string, error) {
	if _, _, versioned := strings.Cut(module, "@"); versioned {
		out, err := exec.Command("go", "mod", "download", "-json", module).Output()
		var m struct{ Dir string }
		if err == nil {
			err = json.Unmarshal(out, &m)
		}
		if err != nil {
			return "", fmt.Errorf("module %s: %w", module, err)
		}
		return m.Dir, nil
	}
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	dir := strings.TrimSpace(string(out))
	if err == nil && dir == "" {
		err = fmt.Errorf("not in the module cache")
	}
	if err != nil {
		return "", fmt.Errorf("module %s: %w", module, err)
	}
	return dir, nil
}

// rawDescriptor extracts the descriptor from a generated file. The file contains it in
// wire format: as a concatenation of string literals, one per line, or as a byte slice
// in older files. It returns nil for a file without a descriptor.
func rawDescriptor(path string) (*descriptorpb.FileDescriptorProto, error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var raw []byte
	if _, rest, ok := bytes.Cut(src, []byte("_rawDesc = \"\" +\n")); ok {
		raw, err = literals(rest)
	} else if _, rest, ok := bytes.Cut(src, []byte("_rawDesc = []byte{")); ok {
		raw, err = octets(rest)
	} else {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	f := &descriptorpb.FileDescriptorProto{}
	return f, proto.Unmarshal(raw, f)
}

// literals returns the bytes in string literals that are on lines of the form `"…" +`.
// The first line that doesn't end with a plus is the last one.
func literals(src []byte) (raw []byte, err error) {
	for more := true; more; {
		var line []byte
		line, src, _ = bytes.Cut(src, []byte("\n"))
		line, more = bytes.CutSuffix(bytes.TrimSpace(line), []byte(" +"))
		s, err := strconv.Unquote(string(line))
		if err != nil {
			return nil, fmt.Errorf("literal %s: %w", line, err)
		}
		raw = append(raw, s...)
	}
	return raw, nil
}

// octets returns the bytes that a Go file lists as "0x0a, 0x17, …" before the closing
// brace.
func octets(src []byte) (raw []byte, err error) {
	src, _, _ = bytes.Cut(src, []byte("}"))
	for word := range bytes.FieldsFuncSeq(src, func(r rune) bool { return r == ',' || r <= ' ' }) {
		n, err := strconv.ParseUint(string(word), 0, 8)
		if err != nil {
			return nil, err
		}
		raw = append(raw, byte(n))
	}
	return raw, nil
}
