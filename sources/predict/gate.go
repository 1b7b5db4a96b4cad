package predict

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/requests"
	"github.com/meshq/kubectl-meshq/sources/section"
	"github.com/meshq/kubectl-meshq/sources/xds"
)

// A Gate is the result of comparing the baseline with the configuration that the
// mesh's own istiod reports.
type Gate struct {
	Proxies  int // the number of proxies in the mesh
	Verified int // the number of proxies for which the mesh's istiod reports the same configuration as the baseline
	Asked    int // the number of proxies that were compared; the others are in the same classes as these

	// Redacted is the number of texts that could not be compared, because the
	// snapshot contains digests in place of what the mesh's istiod reports.
	// Everything else in the configuration of the verified proxies was compared.
	Redacted int

	Different []Different // the sections that differ
	Unknown   []*mesh.Fault
	Causes    []string // possible reasons for the differences
}

// A Different is a section of a proxy in which the baseline differs from the
// mesh's istiod.
type Different struct {
	Proxy     string
	Section   mesh.Section
	Resources []string // the names of the resources that differ
	Digests   bool     // true if the resources may differ only because the snapshot contains digests in place of texts
}

// Passed reports whether the baseline of every proxy was verified.
func (g *Gate) Passed() bool { return g.Verified == g.Proxies && g.Proxies > 0 }

// SectionOf returns the section of the document that contains the resources of a
// type.
func SectionOf(t xds.Type) mesh.Section {
	switch t {
	case xds.Clusters:
		return mesh.Clusters
	case xds.Listeners:
		return mesh.Listeners
	case xds.Routes:
		return mesh.Routes
	case xds.Endpoints:
		return mesh.Endpoints
	}
	return mesh.Extensions
}

// verify compares the baseline of the first proxy of each class with what the
// mesh's istiod reports.
func (p *Prediction) verify(ctx context.Context) (*Gate, error) {
	g := &Gate{}
	for _, c := range p.Classes {
		g.Proxies += len(c.Members)
		first := c.Members[0]
		sent, err := p.Inputs.desired(ctx, first)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err != nil {
			g.Unknown = append(g.Unknown, &mesh.Fault{Proxy: first.ID, Section: "desired", Err: err})
			continue
		}
		g.Asked++
		same, err := p.compare(g, first, c.Before, sent)
		if err != nil {
			return nil, err
		}
		if same {
			g.Verified += len(c.Members)
		}
	}
	if !g.Passed() {
		g.Causes = p.causes(g)
	}
	return g, nil
}

// compare adds the differences of one proxy to the gate. It reports whether
// there are none.
func (p *Prediction) compare(g *Gate, of *Proxy, baseline Config, sent map[xds.Type]map[string]any) (same bool, err error) {
	same = true
	referred, err := xds.References(baseline)
	if err != nil {
		return false, fmt.Errorf("%s: %w", of.ID, err)
	}
	for _, t := range xds.Types() {
		d := Different{Proxy: of.ID, Section: SectionOf(t), Digests: true}
		for _, name := range sortedKeys(baseline[t]) {
			text, err := p.decoder.JSON(t, baseline[t][name])
			if err != nil {
				return false, fmt.Errorf("%s: %s: %w", of.ID, name, err)
			}
			var ours any
			if err := decodeJSON(text, &ours); err != nil {
				return false, err
			}
			theirs, ok := sent[t][name]
			if hidden := 0; ok && equalExceptRedacted(ours, theirs, &hidden) {
				g.Redacted += hidden
				continue
			}
			d.Resources = append(d.Resources, name)
			d.Digests = d.Digests && ok && equalExceptDigests(ours, theirs)
		}
		// A proxy's own stream stays subscribed to endpoints, routes and extensions to which nothing refers any more, so
		// istiod may report more of them than a new proxy asks for.
		expected := referred[t]
		if t == xds.Clusters || t == xds.Listeners {
			expected = sortedKeys(sent[t])
		}
		for _, name := range expected {
			_, isSent := sent[t][name]
			if _, ok := baseline[t][name]; isSent && !ok {
				d.Resources, d.Digests = append(d.Resources, name), false
			}
		}
		if len(d.Resources) > 0 {
			same = false
			g.Different = append(g.Different, d)
		}
	}
	return same, nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// equalExceptRedacted reports whether two values are equal, except for texts that are
// redacted only in theirs, the mesh's own configuration. It counts these texts in
// hidden. A text that is redacted in ours, the baseline, was computed from a redacted
// snapshot, so it has to be redacted in theirs too and equal.
func equalExceptRedacted(ours, theirs any, hidden *int) bool {
	return equalExcept(ours, theirs, func(ours any, theirs string) bool {
		a, ok := ours.(string)
		if !ok || !isRedacted(theirs) || isRedacted(a) {
			return false
		}
		*hidden++
		return true
	})
}

// equalExceptDigests reports whether two values are equal, except for texts that a
// snapshot has redacted in theirs, or that were computed from redacted texts.
func equalExceptDigests(ours, theirs any) bool {
	return equalExcept(ours, theirs, func(ours any, theirs string) bool {
		return isRedacted(theirs) || isRedacted(fmt.Sprint(ours))
	})
}

// equalExcept reports whether two JSON values are equal, except for texts in theirs
// that differ from ours and for which excused returns true.
func equalExcept(ours, theirs any, excused func(ours any, theirs string) bool) bool {
	switch b := theirs.(type) {
	case string:
		return ours == theirs || excused(ours, b)
	case map[string]any:
		a, ok := ours.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for k := range b {
			if _, ok := a[k]; !ok || !equalExcept(a[k], b[k], excused) {
				return false
			}
		}
		return true
	case []any:
		a, ok := ours.([]any)
		return ok && slices.EqualFunc(a, b, func(x, y any) bool { return equalExcept(x, y, excused) })
	}
	return reflect.DeepEqual(ours, theirs)
}

// causes returns descriptions of what may make a baseline differ.
func (p *Prediction) causes(g *Gate) (all []string) {
	digests := func(d Different) bool { return d.Digests }
	switch {
	case len(g.Different) == 0:
	case slices.ContainsFunc(g.Different, digests) && !slices.ContainsFunc(g.Different, func(d Different) bool { return !d.Digests }):
		all = append(all, "the snapshot is redacted: digests stand for texts that istiod sends")
	case len(p.Inputs.Env) == 0:
		all = append(all, "the environment of the mesh's istiod is not known: give its PILOT_ and ISTIO_ variables with --env (--istiod-env beside --what-if)")
	default:
		all = append(all, "another environment or version of istiod")
	}
	if skew := p.Skew(); skew != "" {
		all = append(all, skew)
	}
	for _, f := range p.Inputs.Unread {
		all = append(all, "not read: "+f.Error())
	}
	if len(p.Blocked) > 0 {
		all = append(all, "istiod could not fetch signing keys, because it has no network here: "+strings.Join(p.Blocked, ", "))
	}
	return all
}

// desired returns the configuration that the mesh's own istiod reports for a proxy,
// by type and name.
func (in *Inputs) desired(ctx context.Context, p *Proxy) (map[xds.Type]map[string]any, error) {
	pilot := p.link.Pilot
	what := "config_dump?" + p.link.Query()
	if pilot.Cluster.IsLive() {
		what += section.WithEndpoints
	}
	text, err := in.ask(ctx, requests.Pilot, pilot.ID, what)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("the snapshot doesn't have it: record it with --desired")
	}
	if err != nil {
		return nil, err
	}
	var dump struct{ Configs []map[string]any }
	if err := decodeJSON(text, &dump); err != nil {
		return nil, err
	}
	all := map[xds.Type]map[string]any{}
	for _, c := range dump.Configs {
		for _, l := range lists {
			elements, _ := c[l.list].([]any)
			for _, e := range elements {
				v := e
				for _, f := range l.path {
					o, _ := v.(map[string]any)
					v = o[f]
				}
				addResource(all, l.of, v)
			}
		}
	}
	if all[xds.Endpoints] != nil {
		return all, nil
	}
	// older istiods return the endpoints only at edsz
	text, err = in.ask(ctx, requests.Pilot, pilot.ID, "edsz?"+p.link.Query())
	if err != nil {
		return nil, fmt.Errorf("edsz: %w", err)
	}
	dump.Configs = nil
	if err := decodeJSON(text, &dump); err != nil {
		return nil, err
	}
	for _, c := range dump.Configs {
		addResource(all, xds.Endpoints, c)
	}
	return all, nil
}

func addResource(all map[xds.Type]map[string]any, t xds.Type, v any) {
	o, ok := v.(map[string]any)
	if !ok {
		return
	}
	name, _ := o["name"].(string)
	if n, ok := o["clusterName"].(string); ok {
		name = n
	}
	if all[t] == nil {
		all[t] = map[string]any{}
	}
	all[t][name] = v
}

// A dumpList is the position in a config dump of the resources of a type
// (https://www.envoyproxy.io/docs/envoy/latest/api-v3/admin/v3/config_dump_shared.proto).
type dumpList struct {
	of      xds.Type
	message string
	list    string   // the list, which is a field of the message
	path    []string // the path of fields from an element of the list to the resource
}

var lists = []dumpList{
	{xds.Clusters, "ClustersConfigDump", "dynamicActiveClusters", []string{"cluster"}},
	{xds.Listeners, "ListenersConfigDump", "dynamicListeners", []string{"activeState", "listener"}},
	{xds.Routes, "RoutesConfigDump", "dynamicRouteConfigs", []string{"routeConfig"}},
	{xds.Endpoints, "EndpointsConfigDump", "dynamicEndpointConfigs", []string{"endpointConfig"}},
	{xds.Extensions, "EcdsConfigDump", "ecdsFilters", []string{"ecdsFilter"}},
}
