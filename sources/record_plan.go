package sources

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/istiod"
	"github.com/meshq/kubectl-meshq/sources/kube"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/transport"
	"github.com/meshq/kubectl-meshq/sources/ztunnel"
)

// plan gives all that is recorded, in the order of the archive.
func (c *recorder) plan(ctx context.Context, out *outline) ([]*unit, error) {
	var units []*unit
	pilots, err := c.realm.names(ctx, transport.Source.Pilots)
	if err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx)
	} // else the outline's faults tell
	for _, id := range pilots {
		units = append(units, c.pilotUnit(id))
	}
	for _, l := range kube.Lists() {
		units = append(units, c.listUnit(l))
	}
	seen := map[string]bool{}
	for _, p := range out.proxies {
		r := out.rows[p.(*mesh.Object)]
		if !c.options.has(r.id) {
			continue
		}
		if seen[r.id] {
			c.faults = append(c.faults, &mesh.Fault{Proxy: r.id, Err: errors.New("a snapshot has a place for one proxy of a name")})
			continue
		}
		seen[r.id] = true
		units = append(units, c.proxyUnit(r))
		if c.options.Desired && r.link != nil && r.kind() != mesh.ZTunnel {
			units = append(units, c.desiredUnit(r))
		}
	}
	for _, u := range units {
		u.done = make(chan struct{})
	}
	return units, nil
}

func (c *recorder) pilotUnit(id string) *unit {
	u := &unit{}
	want := func(endpoint, also string) {
		u.wants = append(u.wants, wanted{
			question: question{c.realm, aPilot, id, endpoint}, also: also,
			file: func(f transport.Form) string { return transport.PilotFile(folder(id), endpoint, f) },
			lack: mesh.Fault{Subject: id, Section: endpoint},
		})
	}
	want("syncz", "")
	want("adsz", "")
	for _, field := range istiod.Fields() {
		for _, endpoint := range istiod.Endpoints(field) { // of several names a version of istiod has one
			want(endpoint, "")
		}
	}
	want("version", "")
	return u
}

func (c *recorder) listUnit(l kube.List) *unit {
	return &unit{wants: []wanted{{
		question: question{c.realm, kubernetes, "", l.Resource}, also: l.Also, kind: l.Type(),
		file: func(f transport.Form) string {
			if f != transport.JSON {
				return ""
			}
			return transport.ListFile(l.Resource)
		},
		lack: mesh.Fault{Subject: "kubernetes", Section: l.Field},
	}}}
}

func (c *recorder) proxyUnit(r *row) *unit {
	u := &unit{proxy: true}
	for _, request := range requests(r.kind(), c.options.Sections) {
		u.wants = append(u.wants, wanted{
			question: question{c.realm, aProxy, r.id, request}, row: r,
			file: func(f transport.Form) string { return transport.ProxyFile(r.id, request, f) },
			lack: mesh.Fault{Proxy: r.id, Section: request},
		})
	}
	return u
}

// desiredUnit asks the Pilot that the proxy is connected to. A snapshot has
// the answers under the proxy's id.
func (c *recorder) desiredUnit(r *row) *unit {
	u := &unit{}
	p := r.link.pilot
	for _, endpoint := range []string{"config_dump", "edsz"} {
		request := endpoint + "?" + r.link.query()
		if endpoint == "config_dump" && p.realm.alive() {
			request += withEndpoints
		}
		u.wants = append(u.wants, wanted{
			question: question{p.realm, aPilot, p.id, request},
			file:     func(f transport.Form) string { return transport.PilotFile(folder(p.id), endpoint+"?proxyID="+r.id, f) },
			lack:     mesh.Fault{Proxy: r.id, Section: fmt.Sprintf("desired: %s: %s", p.id, endpoint)},
		})
	}
	return u
}

// folder gives the name of the folder of a Pilot. An address is none, on some
// systems, and becomes a name without a namespace.
func folder(id string) string {
	if !strings.Contains(id, ":") {
		return id
	}
	return strings.Trim(strings.Map(func(c rune) rune {
		if strings.ContainsRune(".:[]%", c) {
			return '-'
		}
		return c
	}, id), "-")
}

// requests gives what is asked of a proxy of a type, for some of its sections
// or, if there are none, for all and what else it can say.
func requests(kind string, sections []mesh.Section) []string {
	wants := func(of ...mesh.Section) bool {
		return len(sections) == 0 || slices.ContainsFunc(of, func(s mesh.Section) bool { return slices.Contains(sections, s) })
	}
	if kind == mesh.ZTunnel {
		var all []mesh.Section
		for _, p := range mesh.SectionsOf(kind) {
			all = append(all, p.Name)
		}
		if wants(all...) {
			return []string{ztunnel.Request}
		}
		return nil
	}
	var out []string
	for _, r := range []struct {
		name string
		of   []mesh.Section
	}{
		{"config_dump", []mesh.Section{mesh.Clusters, mesh.Listeners, mesh.Routes, mesh.Endpoints, mesh.Secrets, mesh.Extensions, mesh.Bootstrap, mesh.Updates}},
		{"clusters", []mesh.Section{mesh.Endpoints}}, // the hosts' state
		{"listeners", []mesh.Section{mesh.Listeners}},
		{"certs", []mesh.Section{mesh.Secrets}},
		{"server_info", []mesh.Section{mesh.Server}},
		{"stats", []mesh.Section{mesh.Stats, mesh.Updates}},
		{"logging", []mesh.Section{mesh.Loggers}},
		{"ready", nil},
	} {
		if wants(r.of...) {
			out = append(out, r.name)
		}
	}
	return out
}
