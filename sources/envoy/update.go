package envoy

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// An updateType is a type of configuration that Envoy receives, with the names
// under which its config dump and the counters of its subscriptions report it.
type updateType struct {
	key     string // the type's key in mesh.SyncTypes
	catalog catalog
	// a regular expression for the names of the counters without their last
	// part, such as "update_success"
	scopes string
}

var assignmentCatalog = catalog{
	section: mesh.Endpoints, part: "EndpointsConfigDump",
	lists: []list{{"staticEndpointConfigs", stateStatic}, {"dynamicEndpointConfigs", stateActive}},
	field: "endpointConfig", name: "clusterName", inside: &decode.Node{Shallow: true},
}

// updateTypes returns the types in the order of mesh.SyncTypes. The scopes
// follow Envoy's documentation of xDS subscription statistics (1.40). There is
// one subscription for each route configuration, each cluster's endpoints, each
// secret and each extension.
func updateTypes() []updateType {
	return []updateType{
		{"cds", clusterCatalog, `cluster_manager\.cds`},
		{"lds", listenerCatalog, `listener_manager\.lds`},
		{"eds", assignmentCatalog, `cluster\..+`},
		{"rds", routeCatalog, `http\..+\.rds\..+`},
		{"sds", secretCatalog, `sds\..+`},
		{"ecds", extensionCatalog, `extension_config_discovery\..+`},
	}
}

// updateCounters are the last parts of the names of those counters that are
// read for each subscription.
const updateCounters = `update_success|update_rejected|update_failure|update_time|version_text`

// updateStats returns the stats filter with which a live Envoy returns the
// update counters and few other stats.
func updateStats() string {
	var scopes []string
	for _, t := range updateTypes() {
		scopes = append(scopes, t.scopes)
	}
	return `^((` + strings.Join(scopes, "|") + `)\.(` + updateCounters + `)|control_plane\.(connected_state|identifier))$`
}

// updates returns Envoy's own report on the configuration that its control
// plane sends: the accepted and the refused updates, by type. A value that
// isn't known is null. If there is only a config dump, no counter is known.
// Some Envoys don't keep all of these stats.
func (p *Proxy) updates(ctx context.Context) (any, error) {
	counted, err := p.updateCounts(ctx)
	if err != nil {
		return nil, err
	}
	out := object.Of("connected", counted.connected, "controlPlane", mesh.OrNull(counted.controlPlane))
	for _, t := range updateTypes() {
		errs, version, err := p.refusals(ctx, t.catalog)
		if err != nil {
			return nil, err
		}
		m := object.Of("version", version, "accepted", nil, "rejected", nil, "failed", nil, "lastUpdated", nil, "errors", errs)
		if n := counted.of[t.key]; n != nil {
			m.Set("accepted", n.accepted)
			m.Set("rejected", n.rejected)
			m.Set("failed", n.failed)
			m.Set("lastUpdated", n.lastUpdated())
			if version == nil {
				m.Set("version", n.version())
			}
		}
		out.Set(t.key, m)
	}
	return out, nil
}

// refusals returns those resources of a type that Envoy refused, and the
// version of the type in the dump. errs is nil if the dump contains nothing
// about the type. version is null if the resources have several versions.
func (p *Proxy) refusals(ctx context.Context, c catalog) (errs, version any, err error) {
	c.noted, c.whole, c.eager = nil, nil, false
	all, err := p.refusable(ctx, c)
	switch {
	case absent(err):
		return nil, nil, nil
	case err != nil:
		return nil, nil, err
	}
	refused, versions := []any{}, []string{}
	for _, r := range all {
		switch {
		case r.state == stateRejected:
			refused = append(refused, object.Of(
				"name", mesh.OrNull(r.name), "error", mesh.OrNull(r.failure), "versionInfo", mesh.OrNull(r.version), "lastUpdated", mesh.OrNull(seconds(r.updated)),
			))
		case r.version != "" && !slices.Contains(versions, r.version):
			versions = append(versions, r.version)
		}
	}
	if len(versions) == 1 {
		version = versions[0]
	}
	return refused, version, nil
}

// refusable reads the resources of a type. From a live Envoy it requests only
// the refused resources, which Envoy reports only for listeners (as of 1.40).
func (p *Proxy) refusable(ctx context.Context, c catalog) ([]resource, error) {
	switch {
	case !p.cut:
		return p.resources(ctx, c)
	case c.section != mesh.Listeners:
		return nil, nil
	}
	var all collection
	err := p.readMasked(ctx, &c, "name,error_state", &all)
	if refused(err) {
		return p.resources(ctx, c)
	}
	return all.found, err
}

// An updateCount has the sums of Envoy's subscription counters for one type of
// configuration.
type updateCount struct {
	accepted, rejected, failed int
	at                         int64 // the time of the last update, in milliseconds since 1970
	versions                   []string
}

func (n *updateCount) lastUpdated() any {
	if n.at == 0 {
		return nil
	}
	return time.UnixMilli(n.at).UTC().Format(time.RFC3339)
}

func (n *updateCount) version() any {
	if len(n.versions) != 1 {
		return nil
	}
	return n.versions[0]
}

type updateCounts struct {
	of           map[string]*updateCount // the counts, by type of configuration; a type without counters has no entry
	connected    any
	controlPlane string
}

// updateCounts reads the counters of Envoy's subscriptions. They are empty if
// there are no stats, as in a snapshot or a single dump.
func (p *Proxy) updateCounts(ctx context.Context) (updateCounts, error) {
	counts := updateCounts{of: map[string]*updateCount{}}
	if p.dumpOnly {
		return counts, nil
	}
	v, err := p.statistics(ctx, Request{What: statistics, Section: mesh.Updates})
	if missing(err) {
		return counts, nil
	}
	if err != nil {
		return counts, err
	}
	m, _ := v.(*object.Object)
	all, _ := m.Get("stats").([]any)
	// A cluster also has other counters whose names are like those of a
	// subscription, but only a subscription has update_rejected.
	scopes := map[string]*object.Object{}
	for _, s := range all {
		stat, _ := s.(*object.Object)
		name := stat.Text("name")
		switch name {
		case "control_plane.connected_state":
			counts.connected = integer(stat.Get("value")) == 1
		case "control_plane.identifier":
			counts.controlPlane = fmt.Sprint(stat.Get("value"))
		}
		if scope, counter, ok := cutLast(name, "."); ok {
			if scopes[scope] == nil {
				scopes[scope] = object.New(0)
			}
			scopes[scope].Set(counter, stat.Get("value"))
		}
	}
	for _, t := range updateTypes() {
		is := regexp.MustCompile("^(?:" + t.scopes + ")$")
		for scope, counters := range scopes {
			if _, subscribed := counters.Lookup("update_rejected"); subscribed && is.MatchString(scope) {
				counts.add(t.key, counters)
			}
		}
	}
	return counts, nil
}

func (c *updateCounts) add(key string, counters *object.Object) {
	n := c.of[key]
	if n == nil {
		n = &updateCount{}
		c.of[key] = n
	}
	n.accepted += int(integer(counters.Get("update_success")))
	n.rejected += int(integer(counters.Get("update_rejected")))
	n.failed += int(integer(counters.Get("update_failure")))
	n.at = max(n.at, integer(counters.Get("update_time")))
	if v := counters.Text("version_text"); v != "" && !slices.Contains(n.versions, v) {
		n.versions = append(n.versions, v)
	}
}

// integer returns the value of a counter or a gauge, or 0 for any other value.
func integer(v any) int64 {
	switch n := v.(type) {
	case int:
		return int64(n)
	case json.Number:
		i, _ := n.Int64()
		return i
	}
	return 0
}
