package diff

import (
	"context"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// A Resource identifies an element of a section, such as a cluster.
type Resource struct {
	Kind    string // kind of the resource, such as "Cluster"
	Name    string // name of the resource; for an endpoint, name of its cluster
	Address string // address of an endpoint
	Refused string // Envoy's error if it rejected another version of this resource
	Warming bool   // whether Envoy also has a newer version of this resource, which is not ready yet
}

// comparing is the state of comparing two lists of elements of one kind.
type comparing struct {
	ctx context.Context
	// sentA is the object that owns the list a. It is set only if a is the configuration
	// that istiod would send to the other side's proxy.
	sentA *mesh.Object
	sentB *mesh.Object // the object that owns the list b, under the same condition
}

// element is an element of a list, with the data for pairing it.
type element struct {
	v        any
	resource Resource
	key      string
	state    string
	failure  string
	excluded bool // whether this element is excluded from the comparison
	partner  int  // index of the paired element in the other list; -1 if there is none
}

// elements compares two lists of elements. The returned edit is nil if they are equal.
func (c *comparing) elements(a, b []any) (*Edit, error) {
	x, err := c.read(a)
	if err != nil {
		return nil, err
	}
	y, err := c.read(b)
	if err != nil {
		return nil, err
	}
	excludeUnused(x, c.sentB != nil)
	excludeUnused(y, c.sentA != nil)
	if err := c.excludeResolved(c.sentA, x, y); err != nil {
		return nil, err
	}
	if err := c.excludeResolved(c.sentB, y, x); err != nil {
		return nil, err
	}
	if err := c.pair(x, y); err != nil {
		return nil, err
	}
	edits := make([]Edit, len(x))
	if err := c.each(len(x), func(i int) error { return c.compareElement(x, y, i, &edits[i]) }); err != nil {
		return nil, err
	}
	return c.mergeEdits(edits, y)
}

func (c *comparing) read(list []any) ([]element, error) {
	out := make([]element, len(list))
	err := c.each(len(list), func(i int) error {
		v, err := mesh.Force(c.ctx, list[i])
		if err != nil {
			return err
		}
		fields, _ := v.(*object.Object)
		e := element{v: list[i], partner: -1, resource: Resource{Kind: kindName(list[i])}}
		if e.resource.Kind == "Endpoint" {
			e.resource.Name, e.resource.Address = textAt(fields, "cluster"), textAt(fields, "address")
			e.key = e.resource.Name + "\x00" + e.resource.Address
		} else {
			e.resource.Name = textAt(fields, "name")
			e.key, e.state, e.failure = e.resource.Name, textAt(fields, "state"), textAt(fields, "error")
		}
		out[i] = e
		return nil
	})
	return out, err
}

// excludeUnused excludes rejected and draining elements from the comparison. It excludes
// a warming element if Envoy still uses another one with the same name. If dynamic is
// true, it also excludes the static elements of Envoy's bootstrap, because istiod doesn't
// send those.
func excludeUnused(all []element, dynamic bool) {
	inUse := map[string]bool{}
	for i := range all {
		if e := &all[i]; e.state == "ACTIVE" || e.state == "STATIC" && !dynamic {
			inUse[e.key] = true
		}
	}
	refused, warming := map[string]string{}, map[string]bool{}
	for i := range all {
		e := &all[i]
		switch e.state {
		case "REJECTED":
			e.excluded = true
			refused[e.key] = e.failure
		case "DRAINING":
			e.excluded = true
		case "WARMING":
			e.excluded = inUse[e.key]
			warming[e.key] = true
		case "STATIC":
			e.excluded = dynamic
		}
	}
	for i := range all {
		e := &all[i]
		e.resource.Refused, e.resource.Warming = refused[e.key], warming[e.key] && e.state == "ACTIVE"
	}
}

// excludeResolved excludes the endpoints that istiod didn't send. They belong to clusters
// whose addresses Envoy gets in another way, such as DNS.
func (c *comparing) excludeResolved(by *mesh.Object, sent, held []element) error {
	if by == nil || len(held) == 0 || held[0].resource.Kind != "Endpoint" {
		return nil
	}
	ours := map[string]bool{}
	for i := range sent {
		ours[sent[i].resource.Name] = true
	}
	asked := false
	for i := range held {
		e := &held[i]
		if ours[e.resource.Name] {
			continue
		}
		if !asked {
			if err := c.addEDSClusters(by, ours); err != nil {
				return err
			}
			asked = true
		}
		e.excluded = !ours[e.resource.Name]
	}
	return nil
}

// addEDSClusters adds the clusters whose endpoints istiod sends (those of type EDS) to
// the set ours, by name.
func (c *comparing) addEDSClusters(by *mesh.Object, ours map[string]bool) error {
	clusters, err := section(c.ctx, by, mesh.Clusters)
	if err != nil {
		return err
	}
	for _, v := range clusters {
		v, err := mesh.Force(c.ctx, v)
		if err != nil {
			return err
		}
		if textAt(v, "type") == "EDS" {
			ours[textAt(v, "name")] = true
		}
	}
	return nil
}

// pair pairs the elements of two lists by their keys. If several elements have the same
// key, they are paired by their contents.
func (c *comparing) pair(a, b []element) error {
	with, twice := map[string][]int{}, map[string]bool{}
	for j := range b {
		if e := &b[j]; !e.excluded {
			with[e.key] = append(with[e.key], j)
			twice[e.key] = len(with[e.key]) > 1
		}
	}
	alike := map[string][]int{}
	for i := range a {
		if e := &a[i]; !e.excluded {
			alike[e.key] = append(alike[e.key], i)
		}
	}
	for key, of := range alike {
		to := with[key]
		if len(of) == 1 && len(to) == 1 {
			a[of[0]].partner, b[to[0]].partner = to[0], of[0]
			continue
		}
		x, err := c.settled(a, of)
		if err != nil {
			return err
		}
		y, err := c.settled(b, to)
		if err != nil {
			return err
		}
		for n, m := range partners(x, y, location{rules: envoy}, named) {
			if m >= 0 {
				a[of[n]].partner, b[to[m]].partner = to[m], of[n]
			}
		}
	}
	return nil
}

func (c *comparing) settled(all []element, at []int) ([]any, error) {
	out := make([]any, len(at))
	for n, i := range at {
		var err error
		if out[n], err = settle(c.ctx, all[i].v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// compareElement compares element i of a with its partner in b. It stores the edit in
// out.
func (c *comparing) compareElement(a, b []element, i int, out *Edit) error {
	e := &a[i]
	*out = Edit{InA: true, IndexA: i, IndexB: -1, Resource: &e.resource, Hidden: e.excluded}
	if e.excluded {
		return nil
	}
	v, err := settle(c.ctx, e.v)
	if err != nil {
		return err
	}
	if e.partner < 0 {
		out.A = v
		for j := range b { // b may contain only a rejected version of the element
			if b[j].key == e.key && b[j].state == "REJECTED" {
				out.Resource.Refused = b[j].failure
			}
		}
		return nil
	}
	with := &b[e.partner]
	w, err := settle(c.ctx, with.v)
	if err != nil {
		return err
	}
	switch {
	case c.sentA != nil:
		w = withSentHealth(v, w)
	case c.sentB != nil:
		v = withSentHealth(w, v)
	}
	if equal(v, w, location{}) {
		*out = Edit{A: e.v, B: with.v, InA: true, InB: true, Same: true, lines: countLines(w)}
	} else {
		*out = build(v, w, location{})
	}
	out.IndexA, out.IndexB, out.Resource = i, e.partner, &with.resource
	return nil
}

// withSentHealth returns Envoy's endpoint with the health status that istiod sent, if
// Envoy's own status may be derived from it. Envoy writes the results of its health
// checks and of outlier detection into the same field.
func withSentHealth(sent, held any) any {
	said, is := textAt(sent, "health"), textAt(held, "health")
	if said == "" || said == is || textAt(held, "kind") != "Endpoint" {
		return held
	}
	down := said != "HEALTHY" && said != "UNKNOWN" && said != "DEGRADED"
	if down && is == "HEALTHY" || said == "DEGRADED" && is == "HEALTHY" {
		return held
	}
	held.(*object.Object).Set("health", said) // the function settle has copied the endpoint, so it may be changed
	return held
}

// mergeEdits combines the edits for the elements into one edit for the lists.
func (c *comparing) mergeEdits(edits []Edit, b []element) (*Edit, error) {
	same := true
	out := &Edit{InA: true, InB: true, List: true}
	next := 0
	behind := func(to int) error {
		for ; next < to; next++ {
			if e := &b[next]; e.partner < 0 && !e.excluded {
				v, err := settle(c.ctx, e.v)
				if err != nil {
					return err
				}
				same = false
				out.Inside = append(out.Inside, Edit{B: v, InB: true, IndexA: -1, IndexB: next, Resource: &e.resource})
			}
		}
		return nil
	}
	for _, e := range edits {
		if e.InB {
			if err := behind(e.IndexB); err != nil {
				return nil, err
			}
		}
		same = same && (e.Same || e.Hidden)
		out.Inside = append(out.Inside, e)
	}
	if err := behind(len(b)); err != nil || same {
		return nil, err
	}
	return out, nil
}

// each calls the function do for each number below n. The calls run in several
// goroutines.
func (c *comparing) each(n int, do func(i int) error) error {
	const batch = 16
	var all errgroup.Group
	all.SetLimit(runtime.GOMAXPROCS(0))
	for start := 0; start < n; start += batch {
		all.Go(func() error {
			for i := start; i < min(start+batch, n); i++ {
				if err := do(i); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return all.Wait()
}
