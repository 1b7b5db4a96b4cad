package recording

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/envoy"
	"github.com/meshq/kubectl-meshq/sources/inventory"
	"github.com/meshq/kubectl-meshq/sources/istiod"
	"github.com/meshq/kubectl-meshq/sources/kube"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/requests"
	"github.com/meshq/kubectl-meshq/sources/section"
	"github.com/meshq/kubectl-meshq/sources/transport"
	"github.com/meshq/kubectl-meshq/sources/ztunnel"
)

// plan returns all units to record, in the order of the archive. A unit is the
// requests to one server.
func (r *recorder) plan(ctx context.Context) ([]*unit, error) {
	var units []*unit
	pilots, err := r.cluster.Pilots(ctx)
	if err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx)
	} // the inventory already reports any other error
	for _, id := range pilots {
		units = append(units, r.pilotUnit(id))
	}
	for _, l := range kube.Lists() {
		units = append(units, r.listUnit(l))
	}
	seen := map[string]bool{}
	for _, p := range r.Inventory.Proxies {
		if !r.options.includes(p.ID) {
			continue
		}
		if seen[p.ID] {
			r.faults = append(r.faults, &mesh.Fault{Proxy: p.ID, Err: errors.New("a snapshot has a place for one proxy of a name")})
			continue
		}
		seen[p.ID] = true
		units = append(units, r.proxyUnit(p))
		if r.options.Desired && p.Link != nil && p.Type() != mesh.ZTunnel {
			units = append(units, r.desiredUnit(p))
		}
	}
	for _, u := range units {
		u.done = make(chan struct{})
	}
	return units, nil
}

func (r *recorder) pilotUnit(id string) *unit {
	u := &unit{}
	want := func(endpoint string) {
		u.wants = append(u.wants, want{
			Request: requests.Request{Cluster: r.cluster, To: requests.Pilot, Name: id, What: endpoint},
			file:    func(f transport.Form) string { return transport.PilotFile(folderName(id), endpoint, f) },
			fault:   mesh.Fault{Subject: id, Section: endpoint},
		})
	}
	want("syncz")
	want("adsz")
	for _, field := range istiod.Fields() {
		// every name of the endpoint is tried, because the name depends on
		// istiod's version
		for _, endpoint := range istiod.Endpoints(field) {
			want(endpoint)
		}
	}
	want("version")
	return u
}

func (r *recorder) listUnit(l kube.List) *unit {
	return &unit{wants: []want{{
		Request: requests.Request{Cluster: r.cluster, To: requests.Kubernetes, What: l.Resource}, also: l.Also, kind: l.Type(),
		file: func(f transport.Form) string {
			if f != transport.JSON {
				return ""
			}
			return transport.ListFile(l.Resource)
		},
		fault: mesh.Fault{Subject: "kubernetes", Section: l.Field},
	}}}
}

func (r *recorder) proxyUnit(p *inventory.Proxy) *unit {
	u := &unit{isProxy: true}
	for _, endpoint := range proxyEndpoints(p.Type(), r.options.Sections) {
		u.wants = append(u.wants, want{
			Request: requests.Request{Cluster: r.cluster, To: requests.Proxy, Name: p.ID, What: endpoint}, places: p.AllPlaces(),
			file:  func(f transport.Form) string { return transport.ProxyFile(p.ID, endpoint, f) },
			fault: mesh.Fault{Proxy: p.ID, Section: endpoint},
		})
	}
	return u
}

// desiredUnit returns the requests for the configuration that istiod would send to
// the proxy. They are sent to the istiod to which the proxy is connected. A
// snapshot stores the answers under the proxy's id.
func (r *recorder) desiredUnit(p *inventory.Proxy) *unit {
	u := &unit{}
	pilot := p.Link.Pilot
	for _, endpoint := range []string{"config_dump", "edsz"} {
		request := endpoint + "?" + p.Link.Query()
		if endpoint == "config_dump" && pilot.Cluster.IsLive() {
			request += section.WithEndpoints
		}
		u.wants = append(u.wants, want{
			Request: requests.Request{Cluster: pilot.Cluster, To: requests.Pilot, Name: pilot.ID, What: request},
			file: func(f transport.Form) string {
				return transport.PilotFile(folderName(pilot.ID), endpoint+"?proxyID="+p.ID, f)
			},
			fault: mesh.Fault{Proxy: p.ID, Section: fmt.Sprintf("desired: %s: %s", pilot.ID, endpoint)},
		})
	}
	return u
}

// folderName returns the name of an istiod's folder in the snapshot. Some systems
// don't allow an address as the name of a folder, so an address is converted to a
// name without a namespace.
func folderName(id string) string {
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

// proxyEndpoints returns the endpoints to request from a proxy of the given type.
// These are the endpoints of the given sections or, if no sections are given, all
// endpoints of the proxy.
func proxyEndpoints(proxyType string, sections []mesh.Section) []string {
	switch proxyType {
	case mesh.ZTunnel:
	case mesh.AgentGateway:
		return nil
	default:
		return envoy.Endpoints(sections)
	}
	for _, p := range mesh.RecordedSectionsOf(proxyType) {
		if len(sections) == 0 || slices.Contains(sections, p.Name) {
			return []string{ztunnel.Request}
		}
	}
	return nil
}
