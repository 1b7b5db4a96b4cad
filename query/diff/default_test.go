package diff

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	_ "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/file/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/grpc/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/cors/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_authz/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/fault/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/grpc_stats/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/jwt_authn/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/local_ratelimit/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/lua/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ratelimit/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/rbac/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/wasm/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/listener/http_inspector/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/listener/original_dst/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/listener/proxy_protocol/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/listener/tls_inspector/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/rbac/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/sni_cluster/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/tcp_proxy/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
)

var update = flag.Bool("update", false, "rewrite defaults.txt")

// TestDefaults checks that defaults.txt agrees with Envoy's protobuf descriptors.
func TestDefaults(t *testing.T) {
	want := described()
	if *update {
		if err := os.WriteFile("defaults.txt", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if defaultText != want {
		t.Error("defaults.txt is of other descriptors: go test ./query/diff -update")
	}
	for _, c := range []struct {
		name string
		v    any
		want bool
	}{
		{"type", "STATIC", true}, {"type", "EDS", false}, {"lbPolicy", "ROUND_ROBIN", true}, {"lbPolicy", "RANDOM", false},
		{"drainType", "DEFAULT", true}, {"drainType", "MODIFY_ONLY", false}, {"codecType", "AUTO", true}, {"statPrefix", "", true},
		{"validateClusters", false, false}, {"useRemoteAddress", false, false}, {"maxConnections", 0, false}, {"timeout", "0s", false}, {"cluster", "", false},
		{"proxy100Continue", false, true}, {"proxy100Continue", true, false}, {"nothingOfEnvoys", "", false}, {"nothingOfEnvoys", nil, true},
	} {
		if got := (location{rules: envoy, name: c.name}).isUnset(c.v); got != c.want {
			t.Errorf("%s: %v: %v", c.name, c.v, got)
		}
	}
}

func described() string {
	plain, present := map[string]map[string]bool{}, map[string]bool{}
	var message func(protoreflect.MessageDescriptor)
	message = func(m protoreflect.MessageDescriptor) {
		for i := range m.Fields().Len() {
			f := m.Fields().Get(i)
			name := f.JSONName()
			switch {
			case f.IsList() || f.IsMap():
			case f.Message() != nil:
				if strings.HasSuffix(string(f.Message().FullName()), "Value") && f.Message().ParentFile().Path() == "google/protobuf/wrappers.proto" {
					present[name] = true
				}
			case f.HasPresence():
				present[name] = true
			default:
				if plain[name] == nil {
					plain[name] = map[string]bool{}
				}
				word := ""
				if f.Enum() != nil {
					word = string(f.Enum().Values().ByNumber(0).Name())
				}
				plain[name][word] = true
			}
		}
		for i := range m.Messages().Len() {
			message(m.Messages().Get(i))
		}
	}
	protoregistry.GlobalFiles.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		if strings.HasPrefix(string(f.Package()), "envoy.") {
			for i := range f.Messages().Len() {
				message(f.Messages().Get(i))
			}
		}
		return true
	})
	var out strings.Builder
	for _, name := range slices.Sorted(maps.Keys(plain)) {
		words := slices.Sorted(maps.Keys(plain[name]))
		switch {
		case present[name] || len(words) > 1:
		case words[0] == "":
			fmt.Fprintln(&out, name)
		default:
			fmt.Fprintln(&out, name, words[0])
		}
	}
	return out.String()
}
