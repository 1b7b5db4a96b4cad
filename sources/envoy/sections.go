package envoy

import (
	"context"
	"slices"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// A sectionRow describes how one section of the document is read, and how the
// section or some of its elements are requested from a live Envoy.
type sectionRow struct {
	section mesh.Section
	read    func(*Proxy, context.Context) (any, error)

	// mask has the fields of a config dump from which the section is read. With a
	// mask, Envoy keeps the form of the dump and omits the parts that don't match.
	// Masks are constants, never built from user input, because old Envoys crash
	// on an unknown mask (envoyproxy/envoy#17257).
	mask string

	key       string   // the field by which elements can be requested; empty if they can't be
	catalog   *catalog // describes how some fields can be requested; nil if that is not possible
	endpoints []string // the endpoints that a snapshot records for the section
}

// sectionRows returns one row for each section of an Envoy.
func sectionRows() []sectionRow {
	dump := []string{configDump}
	return []sectionRow{
		{
			section: mesh.Clusters, read: resourcesOf(&clusterCatalog), key: "name", catalog: &clusterCatalog, endpoints: dump,
			mask: "version_info,static_clusters,dynamic_active_clusters,dynamic_warming_clusters",
		},
		{
			section: mesh.Listeners, read: resourcesOf(&listenerCatalog), key: "name", catalog: &listenerCatalog, endpoints: []string{configDump, "listeners"},
			mask: "version_info,static_listeners,dynamic_listeners",
		},
		{
			section: mesh.Routes, read: resourcesOf(&routeCatalog), key: "name", catalog: &routeCatalog, endpoints: dump,
			mask: "static_route_configs,dynamic_route_configs",
		},
		{
			// only the answer to /clusters contains the health that Envoy
			// itself has determined
			section: mesh.Endpoints, read: (*Proxy).endpoints, key: "cluster", endpoints: []string{configDump, clusters},
			mask: "static_endpoint_configs,dynamic_endpoint_configs",
		},
		{
			section: mesh.Secrets, read: (*Proxy).secrets, key: "name", endpoints: []string{configDump, "certs"},
			mask: "static_secrets,dynamic_active_secrets,dynamic_warming_secrets",
		},
		{section: mesh.Extensions, read: resourcesOf(&extensionCatalog), mask: "ecds_filters", endpoints: dump},
		{section: mesh.Bootstrap, read: (*Proxy).bootstrap, mask: "bootstrap", endpoints: dump},
		{section: mesh.Server, read: (*Proxy).server, endpoints: []string{serverInfo}},
		{section: mesh.Stats, read: (*Proxy).stats, endpoints: []string{statistics}},
		{section: mesh.Loggers, read: (*Proxy).loggers, endpoints: []string{logging}},
		{section: mesh.Updates, read: (*Proxy).updates, endpoints: []string{configDump, statistics}},
	}
}

// sectionOf returns the row of a section, or the zero row for a section of a
// ztunnel.
func sectionOf(s mesh.Section) sectionRow {
	for _, r := range sectionRows() {
		if r.section == s {
			return r
		}
	}
	return sectionRow{}
}

// resourcesOf returns a function that reads a section as its catalog describes.
func resourcesOf(c *catalog) func(*Proxy, context.Context) (any, error) {
	return func(p *Proxy, ctx context.Context) (any, error) {
		all, err := p.resources(ctx, *c)
		if err != nil {
			return nil, err
		}
		return p.objects(c, all), nil
	}
}

// Key returns the field by which elements of a section can be requested from a
// live Envoy. Its value in every element is a string or null. Key returns "" if
// the section has no such field.
func Key(s mesh.Section) string { return sectionOf(s).key }

// Endpoints returns the endpoints of the admin port that a snapshot records for
// the given sections. If no sections are given, it returns all endpoints.
func Endpoints(sections []mesh.Section) (out []string) {
	for _, endpoint := range []string{configDump, clusters, "listeners", "certs", serverInfo, statistics, logging, "ready"} {
		if len(sections) == 0 || slices.ContainsFunc(sections, func(s mesh.Section) bool { return slices.Contains(sectionOf(s).endpoints, endpoint) }) {
			out = append(out, endpoint)
		}
	}
	return out
}
