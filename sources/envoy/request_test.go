package envoy

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	adminv3 "github.com/envoyproxy/go-control-plane/envoy/admin/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// TestMasks checks that every path in a mask is a field in Envoy's descriptors,
// because Envoy omits a part if the mask has an unknown path. It also checks
// that each section's mask includes every list from which the section is read.
func TestMasks(t *testing.T) {
	parts := map[mesh.Section]proto.Message{
		mesh.Clusters: &adminv3.ClustersConfigDump{}, mesh.Listeners: &adminv3.ListenersConfigDump{}, mesh.Routes: &adminv3.RoutesConfigDump{},
		mesh.Endpoints: &adminv3.EndpointsConfigDump{}, mesh.Secrets: &adminv3.SecretsConfigDump{}, mesh.Extensions: &adminv3.EcdsConfigDump{},
		mesh.Bootstrap: &adminv3.BootstrapConfigDump{},
	}
	for _, row := range sectionRows() {
		if (parts[row.section] == nil) != (row.mask == "") {
			t.Errorf("%s: mask %q", row.section, row.mask)
		}
	}
	for s, m := range parts {
		fields := m.ProtoReflect().Descriptor().Fields()
		paths := strings.Split(sectionOf(s).mask, ",")
		for _, path := range paths {
			if fields.ByName(protoreflect.Name(path)) == nil {
				t.Errorf("%s: the part has no field %s", s, path)
			}
		}
		for i := range fields.Len() {
			f := fields.Get(i)
			if f.IsList() && !slices.Contains(paths, string(f.Name())) {
				t.Errorf("%s: %s is not asked for", s, f.Name())
			}
		}
	}
	for _, c := range []catalog{clusterCatalog, listenerCatalog, routeCatalog, secretCatalog, extensionCatalog} {
		for _, l := range c.lists {
			if c.section == mesh.Listeners && strings.HasSuffix(l.field, "Listeners") && len(l.field) > len("dynamicListeners") {
				continue // these lists exist only in Envoys that are too old for masks
			}
			name := parts[c.section].ProtoReflect().Descriptor().Fields().ByJSONName(l.field)
			if name == nil || !slices.Contains(strings.Split(sectionOf(c.section).mask, ","), string(name.Name())) {
				t.Errorf("%s: %s is not asked for", c.section, l.field)
			}
		}
	}
}

func TestAsks(t *testing.T) {
	const cluster = "outbound|9080||ratings.default.svc.cluster.local"
	for _, c := range []struct {
		r      Request
		masked bool
		want   []string
	}{
		{Request{What: "clusters"}, true, []string{"clusters"}},
		{Request{What: configDump, Section: mesh.Routes}, false, []string{"config_dump?"}},
		{Request{What: configDump, Section: mesh.Endpoints}, false, []string{"config_dump?include_eds"}},
		{Request{What: configDump}, true, []string{"config_dump?include_eds"}},
		{Request{What: configDump, Section: mesh.Extensions}, true, []string{"config_dump?mask=ecds_filters"}},
		{Request{What: configDump, Section: mesh.Routes}, true, []string{"config_dump?mask=static_route_configs,dynamic_route_configs", "config_dump?"}},
		{Request{What: configDump, Section: mesh.Endpoints}, true, []string{
			"config_dump?include_eds&mask=static_endpoint_configs,dynamic_endpoint_configs", "config_dump?include_eds"}},
		{Request{What: configDump, Section: mesh.Routes, Wanted: mesh.Hint{Names: []string{"http.80", "a b"}}}, true, []string{
			`config_dump?mask=static_route_configs,dynamic_route_configs&name_regex=http%5C.80%7Ca%20b`,
			"config_dump?mask=static_route_configs,dynamic_route_configs", "config_dump?"}},
		{Request{What: configDump, Section: mesh.Routes, Wanted: mesh.Hint{Names: []string{strings.Repeat("x", maxNames+1)}}}, true, []string{
			"config_dump?mask=static_route_configs,dynamic_route_configs", "config_dump?"}},
	} {
		if got := c.r.Asks(c.masked); !slices.Equal(got, c.want) {
			t.Errorf("%+v: %q", c.r, got)
		}
	}
	u, err := url.Parse(Request{What: configDump, Section: mesh.Clusters, Wanted: mesh.Hint{Names: []string{cluster}}}.Asks(true)[0])
	if err != nil {
		t.Fatal(err)
	}
	if re := regexp.MustCompile("^(?:" + u.Query().Get("name_regex") + ")$"); !re.MatchString(cluster) || re.MatchString("outbound") || re.MatchString("") {
		t.Errorf("%s", re)
	}
}

// TestAsksByPattern checks that a pattern matches whole names, and also the
// empty name, because a query with patterns reads elements without a name, too.
func TestAsksByPattern(t *testing.T) {
	r := Request{What: configDump, Section: mesh.Endpoints, Wanted: mesh.Hint{By: "cluster", Names: []string{"a.b"}, Patterns: []string{`(?s).*(?:(?i)REVIEWS|\|80\|).*`}}}
	ask := r.Asks(true)[0]
	if !strings.HasPrefix(ask, "config_dump?include_eds&mask=static_endpoint_configs,dynamic_endpoint_configs&name_regex=") || strings.ContainsAny(ask, " +|") {
		t.Error(ask)
	}
	u, err := url.Parse(ask)
	if err != nil {
		t.Fatal(err)
	}
	re := regexp.MustCompile("^(?:" + u.Query().Get("name_regex") + ")$")
	for name, want := range map[string]bool{
		"a.b": true, "axb": false, "": true, "outbound|9080||reviews.default": true, "outbound|80||x": true, "outbound|9080||x": false, "x\nreviews\n": true,
	} {
		if re.MatchString(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}
