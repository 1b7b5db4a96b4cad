package envoy

import (
	"context"
	"slices"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// A sectionRow is what package envoy knows of one section of the document: how it
// is read, and how a live Envoy is asked for it or for some of its elements.
type sectionRow struct {
	section mesh.Section
	read    func(*Proxy, context.Context) (any, error)

	// mask are the fields of a config dump that the section is made of. Under a
	// mask, Envoy keeps the dump's form and leaves out the parts that don't match.
	// Masks are constants, never made of user input: old Envoys crash on a mask
	// that they don't know (envoyproxy/envoy#17257).
	mask string

	key       string   // see Key
	catalog   *catalog // says how some fields can be requested; nil: they can't be
	endpoints []string // what a snapshot records for the section
}

// sectionRows are the sections of an Envoy.
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
			section: mesh.Endpoints, read: (*Proxy).endpoints, key: "cluster", endpoints: []string{configDump, clusters}, // the health that Envoy itself found out
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

// sectionOf returns the row of a section; the zero row for one of a ztunnel.
func sectionOf(s mesh.Section) sectionRow {
	for _, r := range sectionRows() {
		if r.section == s {
			return r
		}
	}
	return sectionRow{}
}

// resourcesOf returns the function that reads a section made of a catalog.
func resourcesOf(c *catalog) func(*Proxy, context.Context) (any, error) {
	return func(p *Proxy, ctx context.Context) (any, error) {
		all, err := p.resources(ctx, *c)
		if err != nil {
			return nil, err
		}
		return p.objects(c, all), nil
	}
}

// Key returns the field by which a live Envoy can be asked for elements of a
// section: a string in every element, or null. It is empty where there is none.
func Key(s mesh.Section) string { return sectionOf(s).key }

// Endpoints returns the endpoints of the admin port that a snapshot records for
// some sections; none: all that an Envoy has.
func Endpoints(sections []mesh.Section) (out []string) {
	for _, endpoint := range []string{configDump, clusters, "listeners", "certs", serverInfo, statistics, logging, "ready"} {
		if len(sections) == 0 || slices.ContainsFunc(sections, func(s mesh.Section) bool { return slices.Contains(sectionOf(s).endpoints, endpoint) }) {
			out = append(out, endpoint)
		}
	}
	return out
}
