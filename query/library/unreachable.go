package library

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/query/routing"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// The reasons why a route is not reachable, beside those of package routing.
const (
	shadowed        = "SHADOWED"
	duplicateDomain = "DUPLICATE_DOMAIN"
)

// unreachable gives the routes of a proxy that no request takes, or that end
// at nothing.
func unreachable(c *eval.Call, yield func(any) error) error {
	owner, _ := c.In.(*mesh.Object)
	u := &deadEnds{ctx: c.Ctx, owner: owner, yield: yield, ends: map[string]string{}, unknowns: unknowns{tell: c.Fault}}
	var err error
	if u.id, err = mesh.Get(c.Ctx, c.In, "id"); err != nil {
		return err
	}
	for _, part := range []struct {
		section string
		judge   func(proxy, e any) error
	}{{"routes", u.configuration}, {"listeners", u.listener}} {
		all, err := u.section(c.In, part.section)
		if err != nil {
			return err
		}
		for _, e := range all {
			used, err := inUse(c.Ctx, e)
			if err != nil {
				return err
			}
			if !used {
				continue
			}
			if err := part.judge(c.In, e); err != nil {
				return err
			}
		}
	}
	return u.notKnown()
}

// section gives a section of the proxy; one that can't be read is noted, and
// what it doesn't concern is judged without it.
func (u *deadEnds) section(proxy any, name string) ([]any, error) {
	v, err := mesh.Get(u.ctx, proxy, name)
	if err != nil {
		return nil, err
	}
	all, err := forced(u.ctx, v)
	if err != nil && u.ctx.Err() == nil && u.unread(proxy, err) {
		return nil, nil
	}
	return all, err
}

// notKnown gives what could not be judged, and why: one object for the proxy.
func (u *deadEnds) notKnown() error {
	if len(u.all) == 0 {
		return nil
	}
	return u.yield(mesh.NewObject("UnreachableRoute", u.owner, object.Of(
		"name", nil, "routeConfiguration", nil, "virtualHost", nil, "virtualService", nil, "match", nil,
		"reason", notKnown, "by", nil, "cluster", nil, "proxy", u.id, "unknowns", u.values(),
	)))
}

// deadEnds looks for routes that are not reachable.
type deadEnds struct {
	ctx   context.Context
	owner *mesh.Object
	id    any // the proxy's
	yield func(any) error

	unknowns

	clusters *object.Object    // by name, those in use; nil: not read
	rows     map[string][]any  // endpoints by cluster
	ends     map[string]string // why a cluster ends at nothing; empty: it doesn't
	loaded   bool
	rowless  bool // the endpoints are not known
}

func (u *deadEnds) configuration(proxy, rc any) error {
	name, err := get[string](u.ctx, rc, "name")
	if err != nil {
		return err
	}
	hosts, err := get[[]any](u.ctx, rc, "virtualHosts")
	if err != nil {
		return err
	}
	taken := map[string]string{}
	for _, vh := range hosts {
		host, err := get[string](u.ctx, vh, "name")
		if err != nil {
			return err
		}
		domains, err := get[[]any](u.ctx, vh, "domains")
		if err != nil {
			return err
		}
		for _, d := range domains {
			domain, _ := d.(string)
			domain = strings.ToLower(domain)
			if by, again := taken[domain]; again {
				if err := u.found(object.Of("name", domain, "virtualHost", host, "routeConfiguration", name), duplicateDomain, by, ""); err != nil {
					return err
				}
				continue
			}
			taken[domain] = host
		}
		if err := u.host(proxy, vh); err != nil {
			return err
		}
	}
	return nil
}

func (u *deadEnds) host(proxy, vh any) error {
	routes, err := get[[]any](u.ctx, vh, "routes")
	if err != nil {
		return err
	}
	for i, route := range routes {
		v, err := mesh.Force(u.ctx, route)
		if err != nil {
			return err
		}
		m, _ := v.(*object.Object)
		by, err := routing.Shadow(u.ctx, routes[:i], route)
		if err != nil {
			return err
		}
		if by != nil {
			name, err := partName(u.ctx, by)
			if err != nil {
				return err
			}
			if err := u.found(m, shadowed, name, ""); err != nil {
				return err
			}
			continue
		}
		if err := u.destinations(proxy, route, m); err != nil {
			return err
		}
	}
	return nil
}

// destinations looks at the clusters that a route sends to.
func (u *deadEnds) destinations(proxy, route any, m *object.Object) error {
	destinations, err := get[[]any](u.ctx, route, "destinations")
	if err != nil {
		return err
	}
	wants, err := routing.CriteriaOf(u.ctx, route)
	if err != nil {
		return err
	}
	for i, d := range destinations {
		cluster, err := get[string](u.ctx, d, "cluster")
		if err != nil {
			return err
		}
		weight, err := mesh.Get(u.ctx, d, "weight")
		if err != nil {
			return err
		}
		if cluster == "" || weight == 0 {
			continue
		}
		var criteria *object.Object
		if i < len(wants) {
			criteria = wants[i]
		}
		why, err := u.why(proxy, cluster, criteria)
		if err != nil {
			return err
		}
		if why == "" {
			continue
		}
		if err := u.found(m, why, "", cluster); err != nil {
			return err
		}
	}
	return nil
}

// found gives a route that is not reachable.
func (u *deadEnds) found(route *object.Object, reason, by, cluster string) error {
	m := object.New(0)
	for k, v := range route.All() {
		m.Set(k, v)
	}
	m.Set("reason", reason)
	m.Set("by", orNull(by))
	m.Set("cluster", orNull(cluster))
	m.Set("proxy", u.id)
	m.Set("unknowns", []any{})
	return u.yield(mesh.NewObject("UnreachableRoute", u.owner, m))
}

// why gives why a cluster ends at nothing for those who want that metadata of
// its endpoints; empty where it doesn't.
func (u *deadEnds) why(proxy any, name string, criteria *object.Object) (string, error) {
	key := name
	if criteria.Len() > 0 {
		text, err := json.Marshal(criteria)
		if err != nil {
			return "", err
		}
		key += "\x00" + string(text)
	}
	if why, ok := u.ends[key]; ok {
		return why, nil
	}
	if err := u.load(proxy); err != nil {
		return "", err
	}
	why, err := u.ending(name, criteria)
	u.ends[key] = why
	return why, err
}

func (u *deadEnds) ending(name string, criteria *object.Object) (string, error) {
	c := u.clusters.Get(name)
	switch {
	case u.clusters == nil: // not read
		return "", nil
	case c == nil:
		return noCluster, nil
	case u.rowless:
		return "", nil
	}
	kind, err := get[string](u.ctx, c, "type")
	if err != nil || kind == "ORIGINAL_DST" || kind == "" || kind == "STATIC" {
		return "", err // what is STATIC and empty, as BlackHoleCluster, is meant so
	}
	eds, err := mesh.Get(u.ctx, c, "edsClusterConfig")
	if err != nil {
		return "", err
	}
	service, err := get[string](u.ctx, eds, "serviceName")
	if err != nil {
		return "", err
	}
	rows := u.rows[name]
	if service != "" {
		rows = u.rows[service]
	}
	subset, err := get[string](u.ctx, c, "subset")
	if err != nil {
		return "", err
	}
	if len(rows) == 0 && subset != "" {
		return routing.SubsetEmpty, nil
	}
	b, err := routing.Balance(u.ctx, c, rows, criteria, nil)
	if err != nil {
		return "", err
	}
	return b.Reason, nil
}

// load reads the clusters and the endpoints of the proxy, once.
func (u *deadEnds) load(proxy any) error {
	if u.loaded {
		return nil
	}
	u.loaded = true
	before := len(u.all)
	all, err := u.section(proxy, "clusters")
	if err != nil {
		return err
	}
	if len(u.all) == before {
		u.clusters = object.New(0)
	}
	for _, c := range all {
		name, err := get[string](u.ctx, c, "name")
		if err != nil {
			return err
		}
		if used, err := inUse(u.ctx, c); err != nil {
			return err
		} else if used && u.clusters.Get(name) == nil {
			u.clusters.Set(name, c)
		}
	}
	before = len(u.all)
	if all, err = u.section(proxy, "endpoints"); err != nil {
		return err
	}
	u.rowless = len(u.all) > before
	u.rows = map[string][]any{}
	for _, e := range all {
		name, err := get[string](u.ctx, e, "cluster")
		if err != nil {
			return err
		}
		u.rows[name] = append(u.rows[name], e)
	}
	if len(u.rows[""]) > 0 {
		u.rowless = true
		u.missing(proxy, doubt{"endpoints", errNameless.Error()})
	}
	return nil
}
