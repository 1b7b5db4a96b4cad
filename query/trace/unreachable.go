package trace

import (
	"encoding/json"
	"strings"

	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/query/routing"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// These are the reasons why a route is unreachable, in addition to those of a walk.
const (
	shadowed        = "SHADOWED"
	duplicateDomain = "DUPLICATE_DOMAIN"
)

// deadEnds finds the routes and TCP proxies of one proxy that no request takes, or
// whose clusters have no endpoint for a request.
type deadEnds struct {
	configuration
	unknowns
	in    any // the proxy that is searched
	id    any
	yield func(any) error

	isLoaded    bool              // whether the clusters and their endpoints were already read
	clusters    *object.Object    // clusters in use, by name; nil if they can't be read
	rows        map[string][]any  // endpoints by EDS name
	rowsUnknown bool              // whether the endpoints can't be read, or don't name their clusters
	reasons     map[string]string // why a cluster has no endpoint, by name and criteria; empty if it has one
}

// Unreachable implements the function unreachable for a proxy. It yields an
// UnreachableRoute for each unreachable route, and a last one for everything that
// could not be checked.
func Unreachable(c *eval.Call, yield func(any) error) error {
	owner, _ := c.In.(*mesh.Object)
	u := &deadEnds{configuration: configuration{ctx: c.Ctx, proxy: owner}, in: c.In, yield: yield, reasons: map[string]string{}, unknowns: unknowns{notify: c.Fault}}
	r := u.reader()
	if u.id = r.Get(c.In, "id"); r.Err != nil {
		return r.Err
	}
	for _, part := range []struct {
		section string
		judge   func(e any) error
	}{{"routes", u.routeConfiguration}, {"listeners", u.listener}} {
		all, err := u.section(part.section)
		if err != nil {
			return err
		}
		for _, e := range all {
			if used := inUse(r, e); r.Err != nil {
				return r.Err
			} else if !used {
				continue
			}
			if err := part.judge(e); err != nil {
				return err
			}
		}
	}
	if len(u.all) == 0 {
		return nil
	}
	return u.yield(mesh.NewObject("UnreachableRoute", u.proxy, object.Of(
		"name", nil, "routeConfiguration", nil, "virtualHost", nil, "virtualService", nil, "match", nil,
		"reason", notKnown, "by", nil, "cluster", nil, "proxy", u.id, "unknowns", u.values(),
	)))
}

// section returns a section of the proxy. If the section can't be read, it reports
// that, and only the checks that don't depend on the section continue.
func (u *deadEnds) section(name string) ([]any, error) {
	r := u.reader()
	v := r.Get(u.in, name)
	if r.Err != nil {
		return nil, r.Err
	}
	all := r.List(v)
	if r.Err != nil && u.ctx.Err() == nil && u.addFault(u.in, r.Err) {
		return nil, nil
	}
	return all, r.Err
}

// routeConfiguration checks the virtual hosts of a route configuration. A domain
// that an earlier virtual host also has is never matched.
func (u *deadEnds) routeConfiguration(rc any) error {
	r := u.reader()
	name := r.Text(rc, "name")
	taken := map[string]string{}
	for _, vh := range r.List(rc, "virtualHosts") {
		host, domains, routes := r.Text(vh, "name"), r.List(vh, "domains"), r.List(vh, "routes")
		if r.Err != nil {
			return r.Err
		}
		for _, d := range domains {
			domain, _ := d.(string)
			domain = strings.ToLower(domain)
			by, again := taken[domain]
			if !again {
				taken[domain] = host
				continue
			}
			if err := u.found(object.Of("name", domain, "virtualHost", host, "routeConfiguration", name), duplicateDomain, by, ""); err != nil {
				return err
			}
		}
		for i, route := range routes {
			by, err := routing.Shadow(u.ctx, routes[:i], route)
			if err != nil {
				return err
			}
			if by < 0 {
				err = u.route(route)
			} else if ahead, e := partName(r, routes[by]); e != nil {
				err = e
			} else {
				err = u.found(r.Object(route), shadowed, ahead, "")
			}
			if err != nil {
				return err
			}
		}
	}
	return r.Err
}

// route checks the clusters to which a route sends requests.
func (u *deadEnds) route(route any) error {
	r := u.reader()
	fields, destinations := r.Object(route), r.List(route, "destinations")
	if r.Err != nil {
		return r.Err
	}
	criteria, err := routing.CriteriaOf(u.ctx, route)
	if err != nil {
		return err
	}
	for i, d := range destinations {
		cluster, weight := r.Text(d, "cluster"), r.Get(d, "weight")
		if r.Err != nil {
			return r.Err
		}
		if cluster == "" || weight == 0 {
			continue
		}
		var own *object.Object
		if i < len(criteria) {
			own = criteria[i]
		}
		if err := u.judgeCluster(fields, cluster, own); err != nil {
			return err
		}
	}
	return nil
}

// listener checks the clusters of a listener's TCP proxies, and the routes in the
// listener's own configuration.
func (u *deadEnds) listener(l any) error {
	r := u.reader()
	listener := r.Text(l, "name")
	chains := r.List(l, "filterChains")
	if last := r.Get(l, "defaultFilterChain"); last != nil {
		chains = append(chains[:len(chains):len(chains)], last)
	}
	for _, chain := range chains {
		name := r.Text(chain, "name")
		for _, f := range r.List(chain, "filters") {
			config := r.Get(f, "typedConfig")
			var err error
			if hasType(r, config, "HttpConnectionManager") {
				if rc := r.Get(config, "routeConfig"); rc != nil {
					err = u.routeConfiguration(rc)
				}
			} else if hasType(r, config, "TcpProxy") {
				err = u.tcpProxy(config, object.Of("name", orNull(name), "listener", listener, "routeConfiguration", nil, "virtualHost", nil, "virtualService", nil, "match", nil))
			}
			if err != nil {
				return err
			}
		}
	}
	return r.Err
}

func (u *deadEnds) tcpProxy(config any, at *object.Object) error {
	r := u.reader()
	shares, _, criteria, err := u.tcpClusters(r, config, "", nil)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, s := range shares {
		if s.Name == "" || s.Share == 0 || seen[s.Name] {
			continue
		}
		seen[s.Name] = true
		own := endpointMetadata(r, s.Criteria)
		if r.Err != nil {
			return r.Err
		}
		if err := u.judgeCluster(at, s.Name, merged(criteria, own)); err != nil {
			return err
		}
	}
	return nil
}

// judgeCluster yields a route if its cluster has no endpoint with the metadata that
// the route requires.
func (u *deadEnds) judgeCluster(route *object.Object, name string, criteria *object.Object) error {
	key := name
	if criteria.Len() > 0 {
		text, err := json.Marshal(criteria)
		if err != nil {
			return err
		}
		key += "\x00" + string(text)
	}
	reason, known := u.reasons[key]
	if !known {
		if err := u.load(); err != nil {
			return err
		}
		var err error
		if reason, err = u.clusterReason(name, criteria); err != nil {
			return err
		}
		u.reasons[key] = reason
	}
	if reason == "" {
		return nil
	}
	return u.found(route, reason, "", name)
}

// found yields an unreachable route.
func (u *deadEnds) found(route *object.Object, reason, by, cluster string) error {
	m := merged(route)
	m.Set("reason", reason)
	m.Set("by", orNull(by))
	m.Set("cluster", orNull(cluster))
	m.Set("proxy", u.id)
	m.Set("unknowns", []any{})
	return u.yield(mesh.NewObject("UnreachableRoute", u.proxy, m))
}

// clusterReason returns why a cluster has no endpoint with the given metadata. It
// returns an empty string if the cluster has such an endpoint, or if that is not
// known.
func (u *deadEnds) clusterReason(name string, criteria *object.Object) (string, error) {
	c := u.clusters.Get(name)
	switch {
	case u.clusters == nil:
		return "", nil
	case c == nil:
		return noCluster, nil
	case u.rowsUnknown:
		return "", nil
	}
	r := u.reader()
	kind, service, subset := r.Text(c, "type"), r.Text(c, "edsClusterConfig", "serviceName"), r.Text(c, "subset")
	if r.Err != nil || kind == "ORIGINAL_DST" || kind == "" || kind == "STATIC" {
		return "", r.Err // a STATIC cluster such as BlackHoleCluster has no endpoints on purpose
	}
	rows := u.rows[name]
	if service != "" {
		rows = u.rows[service]
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

// load reads the proxy's clusters and endpoints, unless it has already read them.
func (u *deadEnds) load() error {
	if u.isLoaded {
		return nil
	}
	u.isLoaded = true
	r := u.reader()
	before := len(u.all)
	all, err := u.section("clusters")
	if err != nil {
		return err
	}
	if len(u.all) == before {
		u.clusters = object.New(0)
	}
	for _, c := range all {
		name := r.Text(c, "name")
		if inUse(r, c) && !u.clusters.Has(name) {
			u.clusters.Set(name, c)
		}
	}
	before = len(u.all)
	if all, err = u.section("endpoints"); err != nil {
		return err
	}
	u.rowsUnknown = len(u.all) > before
	u.rows = map[string][]any{}
	for _, e := range all {
		name := r.Text(e, "cluster")
		u.rows[name] = append(u.rows[name], e)
	}
	if len(u.rows[""]) > 0 && r.Err == nil {
		u.rowsUnknown = true
		u.addMissing(u.proxy, unknown{"endpoints", errNoClusterNames.Error()})
	}
	return r.Err
}
