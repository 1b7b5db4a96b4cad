package trace

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/meshq/kubectl-meshq/query/document"
	"github.com/meshq/kubectl-meshq/query/routing"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// configuration reads the sections of one proxy. It requests elements by name, so
// that a live Envoy sends only these elements.
type configuration struct {
	ctx   context.Context
	proxy *mesh.Object
	split splitClusters
	idle  []socket // listeners that Envoy doesn't use, among the listeners that were read last
}

// splitClusters holds the clusters that a weighted route splits its requests among,
// and their endpoints. Two requests in total load them, instead of two requests for
// each cluster.
type splitClusters struct {
	used   *object.Object   // clusters by name, null for a cluster that doesn't exist
	unused *object.Object   // clusters that Envoy doesn't use, by name
	rows   map[string][]any // endpoints by EDS name
}

func (g *configuration) reader() *document.Reader { return document.NewReader(g.ctx) }

// loadSplit loads the clusters whose share is above 0, and then their
// endpoints.
func (g *configuration) loadSplit(shares []routing.Share) error {
	r := g.reader()
	s := splitClusters{object.New(0), object.New(0), map[string][]any{}}
	var names []string
	for _, one := range shares {
		if !s.used.Has(one.Name) && one.Share > 0 {
			names = append(names, one.Name)
			s.used.Set(one.Name, nil)
		}
	}
	some, err := g.some("clusters", "name", names)
	if err != nil {
		return err
	}
	for _, c := range some {
		name := r.Text(c, "name")
		used := inUse(r, c)
		if old, wanted := s.used.Lookup(name); wanted && old == nil && used {
			s.used.Set(name, c)
		} else if wanted && old == nil {
			s.unused.Set(name, c)
		}
	}
	var assignments []string
	for _, name := range names {
		if of := assignmentOf(r, s.used.Get(name), name); of != "" {
			assignments = append(assignments, of)
			s.rows[of] = nil
		}
	}
	if r.Err != nil {
		return r.Err
	}
	if some, err = g.some("endpoints", "cluster", assignments); err != nil || len(assignments) == 0 {
		return err
	}
	for _, e := range some {
		of := r.Text(e, "cluster")
		if _, wanted := s.rows[of]; wanted {
			s.rows[of] = append(s.rows[of], e)
		}
	}
	if r.Err == nil {
		g.split = s
	}
	return r.Err
}

// some returns the elements of a section in which the value of a field is one of
// the names. It may also return other elements.
func (g *configuration) some(section, field string, names []string) ([]any, error) {
	if len(names) == 0 {
		return nil, nil
	}
	return narrowed(g.ctx, g.proxy, section, mesh.Hint{By: field, Names: names})
}

// clusterNamed returns the cluster with this name, with the same results as byName.
// It uses the clusters that loadSplit has loaded.
func (g *configuration) clusterNamed(name string) (used, unused any, err error) {
	if c, ok := g.split.used.Lookup(name); ok {
		return c, g.split.unused.Get(name), nil
	}
	return byName(g.ctx, g.proxy, "clusters", name)
}

// assignmentOf returns the EDS name of a cluster's endpoints. It is empty
// for a cluster without endpoints of its own.
func assignmentOf(r *document.Reader, c any, name string) string {
	if c == nil || r.Text(c, "type") == "ORIGINAL_DST" || r.Get(c, "clusterType") != nil || r.Err != nil {
		return ""
	}
	return cmp.Or(r.Text(c, "edsClusterConfig", "serviceName"), name)
}

// endpointsOf returns the endpoints of a cluster. An aggregate cluster has the
// endpoints of its member clusters, and the priorities of each member follow those
// of the previous member. within lists the aggregate clusters that contain this
// one. A cluster that contains itself is skipped and reported to unsure.
func (g *configuration) endpointsOf(c any, name string, within []string, unsure func(...string)) ([]any, error) {
	r := g.reader()
	members := r.List(c, "clusterType", "typedConfig", "clusters")
	if members == nil {
		of := assignmentOf(r, c, name)
		if r.Err != nil {
			return nil, r.Err
		}
		return g.assigned(cmp.Or(of, name))
	}
	within = append(slices.Clone(within), name)
	var out []any
	next := 0
	for _, m := range members {
		name, _ := m.(string)
		if slices.Contains(within, name) {
			unsure("cluster " + name + " contains itself")
			continue
		}
		member, _, err := byName(g.ctx, g.proxy, "clusters", name)
		if err != nil {
			return nil, err
		}
		if member == nil {
			continue
		}
		rows, err := g.endpointsOf(member, name, within, unsure)
		if err != nil {
			return nil, err
		}
		top := next
		for _, row := range rows {
			e := merged(r.Object(row))
			priority := r.Number(row, "priority") + next
			e.Set("priority", priority)
			top = max(top, priority)
			out = append(out, e)
		}
		next = top + 1
	}
	return out, r.Err
}

var errNoClusterNames = errors.New("the dump does not say which cluster they are of (Envoy 1.22 and older)")

// assigned returns the endpoints that have this EDS name.
func (g *configuration) assigned(name string) ([]any, error) {
	if rows, ok := g.split.rows[name]; ok {
		return rows, nil
	}
	some, err := g.some("endpoints", "cluster", []string{name})
	if err != nil {
		return nil, err
	}
	r := g.reader()
	var out []any
	hasNameless := false
	for _, e := range some {
		of := r.Text(e, "cluster")
		hasNameless = hasNameless || of == ""
		if of == name {
			out = append(out, e)
		}
	}
	if r.Err == nil && len(out) == 0 && hasNameless {
		return nil, &mesh.Fault{Proxy: idOf(g.proxy), Section: "endpoints", Err: errNoClusterNames}
	}
	return out, r.Err
}

// zone returns the proxy's locality, and the endpoints of the cluster that contains
// the proxy itself. It returns nil if the bootstrap doesn't name that cluster.
func (g *configuration) zone() (*routing.Zone, error) {
	r := g.reader()
	name := r.Text(g.proxy, "bootstrap", "clusterManager", "localClusterName")
	if name == "" {
		return nil, r.Err
	}
	z := &routing.Zone{Locality: r.Get(g.proxy, "bootstrap", "node", "locality")}
	if r.Err != nil {
		return nil, r.Err
	}
	var err error
	z.Local, err = g.assigned(name)
	return z, err
}

// idOf returns the id of a proxy, or "" if owner isn't a proxy.
func idOf(owner any) string {
	if o, ok := owner.(*mesh.Object); ok && o != nil {
		v, _ := o.Member("id")
		id, _ := v.(string)
		return id
	}
	return ""
}
