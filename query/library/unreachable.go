package library

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/query/library/routing"
	"github.com/meshq/kubectl-meshq/sources/mesh"
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
	return u.yield(mesh.NewObject("UnreachableRoute", u.owner, map[string]any{
		"name": nil, "routeConfiguration": nil, "virtualHost": nil, "virtualService": nil, "match": nil,
		"reason": notKnown, "by": nil, "cluster": nil, "proxy": u.id, "unknowns": u.values(),
	}))
}

// deadEnds looks for routes that are not reachable.
type deadEnds struct {
	ctx   context.Context
	owner *mesh.Object
	id    any // the proxy's
	yield func(any) error

	unknowns

	clusters map[string]any    // by name, those in use; nil: not read
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
				if err := u.found(map[string]any{"name": domain, "virtualHost": host, "routeConfiguration": name}, duplicateDomain, by, ""); err != nil {
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
		m, _ := v.(map[string]any)
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
func (u *deadEnds) destinations(proxy, route any, m map[string]any) error {
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
		var criteria map[string]any
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
func (u *deadEnds) found(route map[string]any, reason, by, cluster string) error {
	m := map[string]any{}
	for k, v := range route {
		m[k] = v
	}
	m["reason"], m["by"], m["cluster"], m["proxy"], m["unknowns"] = reason, orNull(by), orNull(cluster), u.id, []any{}
	return u.yield(mesh.NewObject("UnreachableRoute", u.owner, m))
}

// why gives why a cluster ends at nothing for those who want that metadata of
// its endpoints; empty where it doesn't.
func (u *deadEnds) why(proxy any, name string, criteria map[string]any) (string, error) {
	key := name
	if len(criteria) > 0 {
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

func (u *deadEnds) ending(name string, criteria map[string]any) (string, error) {
	c := u.clusters[name]
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
		u.clusters = map[string]any{}
	}
	for _, c := range all {
		name, err := get[string](u.ctx, c, "name")
		if err != nil {
			return err
		}
		if used, err := inUse(u.ctx, c); err != nil {
			return err
		} else if used && u.clusters[name] == nil {
			u.clusters[name] = c
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
