package envoy

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// An excerpt is how some fields of a section's elements are asked for: of one
// of its lists, which is nearly all of it, those fields, and the others whole.
//
// Under "resource" Envoy gives the elements of a list alone, and a mask is about
// one of these; it reaches into the one resource that the element holds, but
// no further than a field of that (envoyproxy.io, admin interface,
// /config_dump?mask; measured on 1.40). Masks are made of the names of fields
// that the table of Envoy's messages has, and never of anything else.
type excerpt struct {
	catalog *catalog
	kind    string // of its objects
	objects func(*resource) *object.Object
	list    int    // in the catalog
	others  string // the mask of the other lists
	always  string // of an element, beside the resource
	message string // that an element holds; empty where a mask can't reach into it

	// needs are the facts that are made of a resource's fields, and which ones.
	needs map[string]string
}

var clusterExcerpt = excerpt{
	catalog: &clusterCatalog, kind: "Cluster", objects: clusterFields, list: 1,
	others:  "static_clusters,dynamic_warming_clusters",
	always:  "last_updated,error_state",
	message: "envoy.config.cluster.v3.Cluster",
	needs: map[string]string{
		"direction": "name", "port": "name", "subset": "name", "fqdn": "name", "destinationRule": "metadata",
	},
}

// A listener stands two levels below its element, where no mask reaches.
var listenerExcerpt = excerpt{
	catalog: &listenerCatalog, kind: "Listener", objects: func(r *resource) *object.Object { return r.document(0) }, list: 1,
	others: "static_listeners",
	always: "name,error_state,active_state.last_updated,warming_state.last_updated,draining_state.last_updated",
}

// Virtual hosts are nearly all of a route configuration: who wants them is
// better served by the section.
var routeExcerpt = excerpt{
	catalog: &routeCatalog, kind: "RouteConfiguration", objects: func(r *resource) *object.Object { return r.document(0) }, list: 1,
	others:  "static_route_configs",
	always:  "last_updated,error_state",
	message: "envoy.config.route.v3.RouteConfiguration",
	needs:   map[string]string{"virtualHosts": ""},
}

func excerptOf(s mesh.Section) *excerpt {
	switch s {
	case mesh.Clusters:
		return &clusterExcerpt
	case mesh.Listeners:
		return &listenerExcerpt
	case mesh.Routes:
		return &routeExcerpt
	}
	return nil
}

// mask gives the mask for these fields, and what is known of an element under
// it. ok is false where there is none, or none that is worth it.
func (x *excerpt) mask(fields []string) (mask string, asked mesh.Asked, ok bool) {
	if x == nil || fields == nil {
		return "", nil, false
	}
	asked = mesh.Asked{}
	if len(fields) == 0 { // they are only counted
		return x.always, asked, true
	}
	within := []string{}
	for _, path := range append([]string{"name", "state", "lastUpdated"}, fields...) {
		name, _, _ := strings.Cut(path, ".")
		if name == "kind" { // which every object knows
			continue
		}
		asked[name] = nil
		if slices.Contains([]string{"state", "lastUpdated", "error"}, name) || name == "name" && x.message == "" {
			continue
		}
		if needs, is := x.needs[name]; is {
			name = needs
		}
		wire, known := wireName(x.message, name)
		if !known {
			return "", nil, false
		}
		within = append(within, snake(x.catalog.field)+"."+wire)
	}
	slices.Sort(within)
	return strings.Join(append(slices.Compact(within), x.always), ","), asked, true
}

// wireName is how Envoy spells a field of one of its messages.
func wireName(message, field string) (string, bool) {
	m := envoyFields().message(message)
	if m == nil || !slices.Contains(m.fieldNames(), field) {
		return "", false
	}
	return snake(field), true
}

// snake is the name in a descriptor of which camel makes this one. (None that
// is asked for has a JSON name of its own, or a digit behind an underscore.)
func snake(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; 'A' <= c && c <= 'Z' {
			b.WriteByte('_')
			b.WriteByte(c + 'a' - 'A')
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// CanExcerpt tells whether an Envoy that understands masks can be asked for
// these fields of a section's elements, for less than the section costs.
func CanExcerpt(s mesh.Section, fields []string) bool {
	_, _, ok := excerptOf(s).mask(fields)
	return ok
}

// Excerpt asks for some fields of a section's elements, as [mesh.Hint] has them.
// The owner's identity and what gives the whole section are left to the caller.
// It is nil where the Envoy has to be asked for the section: when it doesn't
// understand, answers something else, or has something warming, which might be
// active by the time of the second question.
func (p *Proxy) Excerpt(ctx context.Context, s mesh.Section, fields []string) (*mesh.Excerpt, error) {
	x := excerptOf(s)
	mask, asked, ok := x.mask(fields)
	if !ok {
		return nil, nil
	}
	var all collection
	ok, err := p.others(ctx, s, x, &all)
	if err == nil && ok {
		err = p.list(ctx, s, x, mask, &all)
	}
	switch {
	case refused(err):
		return nil, nil
	case err != nil || !ok:
		return nil, err
	}
	all.sort()
	found, err := distinct(ctx, all.found)
	if err != nil {
		return nil, err
	}
	out := &mesh.Excerpt{Section: s, Kind: x.kind, Owner: p.owner, Asked: asked, Known: make([]*object.Object, len(found))}
	var cost int64
	for i := range found {
		out.Known[i] = x.objects(&found[i])
		cost += costElement + fieldsCost(out.Known[i])
	}
	p.told(cost)
	return out, nil
}

// others reads the lists that are asked for whole.
func (p *Proxy) others(ctx context.Context, s mesh.Section, x *excerpt, all *collection) (ok bool, err error) {
	doc, err := p.fetch(ctx, Request{What: configDump, Section: s, Others: x.others})
	if err != nil {
		return false, err
	}
	p.bears(doc)
	d := &dump{doc: doc, cut: true}
	if err := d.must(ctx, all.reading(x.shallow())); err != nil {
		return false, err
	}
	other := func(r resource) bool { return r.state != stateStatic }
	return !slices.ContainsFunc(all.found, other), nil
}

// shallow is the catalog of what is little: it is read at once, one level deep.
func (x *excerpt) shallow() catalog {
	c := *x.catalog
	c.eager, c.inside = true, &decode.Node{Shallow: true}
	return c
}

// list reads the elements of the one list, each of which says what it is.
func (p *Proxy) list(ctx context.Context, s mesh.Section, x *excerpt, mask string, all *collection) error {
	c := x.shallow()
	l := c.lists[x.list]
	doc, err := p.fetch(ctx, Request{What: configDump, Section: s, List: snake(l.field), Mask: mask})
	if err != nil {
		return err
	}
	p.bears(doc)
	element := c.element(l, tagOwn)
	element.Fields = append(element.Fields, decode.Field{Name: "@type", Node: &decode.Node{}})
	root := &decode.Node{Walk: true, Fields: []decode.Field{{Name: "configs", Node: &decode.Node{Walk: true, Elem: element}}}}
	_, err = doc.Pass(ctx, 0, -1, envoyFields().message("envoy.admin.v3.ConfigDump"), root, func(_ int, v any, _, _ int64) error {
		m, _ := v.(*object.Object)
		if !strings.Contains(text(m, "@type"), "."+c.kind+".") {
			return ErrRefused
		}
		all.add(c, l, m)
		return nil
	})
	return doc.Named(err)
}

// refused tells that Envoy doesn't know what it was asked for.
func refused(err error) bool { return errors.Is(err, ErrRefused) || errors.Is(err, fs.ErrNotExist) }

// ErrRefused is the error of a [Fetch] of some fields that an Envoy refuses with
// 400, 404 or 431, or doesn't understand: it is to be asked for the section.
var ErrRefused = errors.New("the Envoy doesn't know these fields")
