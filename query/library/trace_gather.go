package library

import (
	"errors"

	"github.com/meshq/kubectl-meshq/query/routing"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// gathered is what was asked for at once: one look for all clusters of a split
// instead of one for each.
type gathered struct {
	clusters *object.Object   // by name; nil for one that isn't there
	idle     *object.Object   // those of the names that are not in use
	rows     map[string][]any // endpoints by the name of their assignment
}

// gather asks for the clusters of a split, then for the endpoints of them.
func (w *walk) gather(shares []routing.Share) error {
	g := gathered{object.New(0), object.New(0), map[string][]any{}}
	var names []string
	for _, s := range shares {
		if _, again := g.clusters.Lookup(s.Name); !again && s.Share > 0 {
			names = append(names, s.Name)
			g.clusters.Set(s.Name, nil)
		}
	}
	some, err := w.some("clusters", mesh.Hint{By: "name", Names: names})
	if err != nil {
		return err
	}
	for _, c := range some {
		name, err := get[string](w.ctx, c, "name")
		if err != nil {
			return err
		}
		if used, err := inUse(w.ctx, c); err != nil {
			return err
		} else if old, wanted := g.clusters.Lookup(name); wanted && old == nil {
			if used {
				g.clusters.Set(name, c)
			} else {
				g.idle.Set(name, c)
			}
		}
	}
	var assignments []string
	for _, name := range names {
		of, err := w.assignment(g.clusters.Get(name), name)
		if err != nil {
			return err
		}
		if of != "" {
			assignments = append(assignments, of)
			g.rows[of] = nil
		}
	}
	if some, err = w.some("endpoints", mesh.Hint{By: "cluster", Names: assignments}); err != nil || len(assignments) == 0 {
		return err
	}
	for _, e := range some {
		of, err := get[string](w.ctx, e, "cluster")
		if err != nil {
			return err
		}
		if _, wanted := g.rows[of]; wanted {
			g.rows[of] = append(g.rows[of], e)
		}
	}
	w.gathered = g
	return nil
}

// some gives the elements of a section of the proxy that a hint wants, and
// perhaps others.
func (w *walk) some(section string, h mesh.Hint) ([]any, error) {
	v, err := mesh.Get(w.ctx, w.proxy, section)
	if err != nil || len(h.Names) == 0 {
		return nil, err
	}
	return narrowed(w.ctx, v, h)
}

// cluster gives a cluster by its name; nil where none is in use. idle is then
// one of that name that isn't.
func (g gathered) cluster(w *walk, name string) (c, idle any, err error) {
	if c, ok := g.clusters.Lookup(name); ok {
		return c, g.idle.Get(name), nil
	}
	some, err := w.some("clusters", mesh.Hint{By: "name", Names: []string{name}})
	if err != nil {
		return nil, nil, err
	}
	for _, e := range some {
		if n, err := get[string](w.ctx, e, "name"); err != nil || n != name {
			if err != nil {
				return nil, nil, err
			}
			continue
		}
		used, err := inUse(w.ctx, e)
		if err != nil {
			return nil, nil, err
		}
		if used {
			return e, nil, nil
		}
		idle = e
	}
	return nil, idle, nil
}

// assignment gives the name that a cluster's endpoints go by; empty where it
// has none of its own.
func (w *walk) assignment(c any, name string) (string, error) {
	kind, err := get[string](w.ctx, c, "type")
	if err != nil || c == nil || kind == "ORIGINAL_DST" {
		return "", err
	}
	if custom, err := mesh.Get(w.ctx, c, "clusterType"); err != nil || custom != nil {
		return "", err
	}
	eds, err := mesh.Get(w.ctx, c, "edsClusterConfig")
	if err != nil {
		return "", err
	}
	service, err := get[string](w.ctx, eds, "serviceName")
	if err != nil || service != "" {
		return service, err
	}
	return name, nil
}

// nameless is why a cluster's endpoints aren't known though there are some: a
// dump of Envoy 1.22 or older leaves out whose they are.
func (w *walk) nameless() error {
	id, _ := w.proxy.Member("id")
	proxy, _ := id.(string)
	return &mesh.Fault{Proxy: proxy, Section: "endpoints", Err: errNameless}
}

var errNameless = errors.New("the dump does not say which cluster they are of (Envoy 1.22 and older)")

// assigned gives the endpoint rows of a name in EDS.
func (w *walk) assigned(name string) ([]any, error) {
	if rows, ok := w.gathered.rows[name]; ok {
		return rows, nil
	}
	some, err := w.some("endpoints", mesh.Hint{By: "cluster", Names: []string{name}})
	if err != nil {
		return nil, err
	}
	var out []any
	lack := false
	for _, e := range some {
		of, err := get[string](w.ctx, e, "cluster")
		if err != nil {
			return nil, err
		}
		lack = lack || of == ""
		if of == name {
			out = append(out, e)
		}
	}
	if len(out) == 0 && lack {
		return nil, w.nameless()
	}
	return out, nil
}
