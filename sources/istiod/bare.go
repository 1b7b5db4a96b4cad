package istiod

import (
	"context"
	"io"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// TypesOf maps a section to the value of the config_dump parameter "types" that
// requests its resources (Istio 1.16 and later).
var TypesOf = map[mesh.Section]string{
	mesh.Clusters: "CDS", mesh.Listeners: "LDS", mesh.Routes: "RDS", mesh.Endpoints: "EDS", mesh.Secrets: "SDS", mesh.Extensions: "ECDS",
}

// wrappings describes how a config dump wraps the resources of a section.
var wrappings = map[mesh.Section]struct{ message, part, before, after string }{
	mesh.Clusters:   {".Cluster", `ClustersConfigDump","dynamicActiveClusters"`, `{"cluster":`, `}`},
	mesh.Listeners:  {".Listener", `ListenersConfigDump","dynamicListeners"`, `{"activeState":{"listener":`, `}}`},
	mesh.Routes:     {".RouteConfiguration", `RoutesConfigDump","dynamicRouteConfigs"`, `{"routeConfig":`, `}`},
	mesh.Endpoints:  {".ClusterLoadAssignment", `EndpointsConfigDump","dynamicEndpointConfigs"`, `{"endpointConfig":`, `}`},
	mesh.Secrets:    {".Secret", `SecretsConfigDump","dynamicActiveSecrets"`, `{"secret":`, `}`},
	mesh.Extensions: {".TypedExtensionConfig", `EcdsConfigDump","ecdsFilters"`, `{"ecdsFilter":`, `}`},
}

// Wrap converts an answer that is a list of bare resources to a config dump with
// these resources, and writes the dump to out. edsz, and config_dump with the
// parameter "types", return such answers. Wrap writes nothing if the answer is
// already a dump, because istiod doesn't support "types". Bare resources have no
// version.
func Wrap(ctx context.Context, out io.Writer, s mesh.Section, doc *decode.Document) error {
	const tagType, tagElement = 1, 2
	w := wrappings[s]
	element := &decode.Node{Walk: true, Visit: tagElement, Fields: []decode.Field{{Name: "@type", Node: &decode.Node{Visit: tagType}}}}
	root := &decode.Node{Walk: true, Fields: []decode.Field{{Name: "configs", Node: &decode.Node{Walk: true, Elem: element}}}}
	dump, first, kind := false, true, ""
	write := func(text string) error {
		_, err := io.WriteString(out, text)
		return err
	}
	_, err := doc.Pass(ctx, 0, -1, nil, root, func(tag int, v any, off, end int64) error {
		if tag == tagType {
			kind, _ = v.(string)
			return nil
		}
		is := kind
		kind = ""
		switch {
		case strings.Contains(is, "/envoy.admin."):
			dump = true
			return nil
		case !strings.HasSuffix(is, w.message):
			return nil
		}
		before := "," + w.before
		if first {
			before = `{"configs":[{"@type":"type.googleapis.com/envoy.admin.v3.` + w.part + `:[` + w.before
		}
		first = false
		if err := write(before); err != nil {
			return err
		}
		if _, err := io.Copy(out, io.NewSectionReader(doc.Bytes, off, end-off)); err != nil {
			return err
		}
		return write(w.after)
	})
	switch {
	case err != nil || dump && first:
		return err
	case first:
		return write(`{"configs":[{"@type":"type.googleapis.com/envoy.admin.v3.` + w.part + `:[]}]}`)
	}
	return write(`]}]}`)
}
