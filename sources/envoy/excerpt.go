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

// masked says how some fields of a section's elements are asked for: those of one
// of its lists, which has nearly all elements, under a mask; the other lists
// whole.
//
// With "resource" Envoy returns the elements of one list, and a mask applies to
// each of these. It can select fields of the one resource that an element holds,
// but none deeper (envoyproxy.io, admin interface, /config_dump?mask; measured on
// 1.40). Masks are made of field names in the table of Envoy's messages, and of
// nothing else.
type masked struct {
	list    int    // the index of the list in the catalog
	others  string // the mask of the other lists
	always  string // what is always asked for of an element, beside the resource
	message string // the message of the resource; empty: a mask can't reach into it
}

// mask returns the mask for some fields, and which fields of an element are known
// under it. ok is false where there is no mask, or asking by one would not be
// cheaper.
func (c *catalog) mask(fields []string) (mask string, asked mesh.Asked, ok bool) {
	if c == nil || c.masked == nil || fields == nil {
		return "", nil, false
	}
	asked = mesh.Asked{}
	if len(fields) == 0 { // the elements are only counted
		return c.masked.always, asked, true
	}
	within := []string{}
	for _, path := range append([]string{"name", "state", "lastUpdated"}, fields...) {
		name, _, _ := strings.Cut(path, ".")
		if name == "kind" { // which every object knows
			continue
		}
		asked[name] = nil
		if slices.Contains([]string{"state", "lastUpdated", "error"}, name) || name == "name" && c.masked.message == "" {
			continue
		}
		if slices.Contains(c.replaced, name) {
			return "", nil, false
		}
		needs, derived := c.needs[name]
		if !derived {
			needs = []string{name}
		}
		for _, need := range needs {
			wire, known := wireName(c.masked.message, need)
			if !known {
				return "", nil, false
			}
			within = append(within, snake(c.field)+"."+wire)
		}
	}
	slices.Sort(within)
	return strings.Join(append(slices.Compact(within), c.masked.always), ","), asked, true
}

// wireName returns Envoy's spelling of a field of one of its messages.
func wireName(message, field string) (string, bool) {
	m := envoyFields().message(message)
	if m == nil || !slices.Contains(m.fieldNames(), field) {
		return "", false
	}
	return snake(field), true
}

// snake returns the descriptor's name of a field in lowerCamelCase. It does not
// hold for fields with a JSON name of their own, or with a digit after an
// underscore: no such field is asked for.
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

// CanExcerpt reports whether an Envoy that knows masks can be asked for these
// fields of a section's elements, for less than the section costs.
func CanExcerpt(s mesh.Section, fields []string) bool {
	_, _, ok := sectionOf(s).catalog.mask(fields)
	return ok
}

// Excerpt asks for some fields of a section's elements, as [mesh.Hint] has them.
// The caller sets the owner's id and the function that loads the whole section.
// It returns nil where the section has to be asked for instead: if the Envoy
// doesn't understand the request or answers something else, or if a resource is
// warming, which might be active by the time of the second request.
func (p *Proxy) Excerpt(ctx context.Context, s mesh.Section, fields []string) (*mesh.Excerpt, error) {
	c := sectionOf(s).catalog
	mask, asked, ok := c.mask(fields)
	if !ok {
		return nil, nil
	}
	var all collection
	ok, err := p.readOthers(ctx, c, &all)
	if err == nil && ok {
		err = p.readMasked(ctx, c, mask, &all)
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
	out := &mesh.Excerpt{Section: s, Kind: c.kind(), Owner: p.owner, Asked: asked, Known: make([]*object.Object, len(found))}
	var cost int64
	for i := range found {
		out.Known[i] = c.make(p, &found[i])
		cost += costElement + fieldsCost(out.Known[i])
	}
	p.grow(cost)
	return out, nil
}

// readOthers reads the lists that are asked for whole. ok is false if one of them
// has anything but static resources.
func (p *Proxy) readOthers(ctx context.Context, c *catalog, all *collection) (ok bool, err error) {
	doc, err := p.fetch(ctx, Request{What: configDump, Section: c.section, Others: c.masked.others})
	if err != nil {
		return false, err
	}
	p.setBudget(doc)
	d := &dump{doc: doc, cut: true}
	if err := d.must(ctx, all.reading(c.shallow())); err != nil {
		return false, err
	}
	isDynamic := func(r resource) bool { return r.state != stateStatic }
	return !slices.ContainsFunc(all.found, isDynamic), nil
}

// shallow returns the catalog for small answers: resources are read at once, one
// level deep.
func (c *catalog) shallow() catalog {
	small := *c
	small.eager, small.inside = true, &decode.Node{Shallow: true}
	return small
}

// readMasked reads the elements of the list that is asked for with a mask, each
// of which has its type.
func (p *Proxy) readMasked(ctx context.Context, of *catalog, mask string, all *collection) error {
	c := of.shallow()
	l := c.lists[c.masked.list]
	doc, err := p.fetch(ctx, Request{What: configDump, Section: c.section, List: snake(l.field), Mask: mask})
	if err != nil {
		return err
	}
	p.setBudget(doc)
	element := c.element(l, tagOwn)
	element.Fields = append(element.Fields, decode.Field{Name: "@type", Node: &decode.Node{}})
	root := &decode.Node{Walk: true, Fields: []decode.Field{{Name: "configs", Node: &decode.Node{Walk: true, Elem: element}}}}
	_, err = doc.Pass(ctx, 0, -1, envoyFields().message("envoy.admin.v3.ConfigDump"), root, func(_ int, v any, _, _ int64) error {
		m, _ := v.(*object.Object)
		if !strings.Contains(m.Text("@type"), "."+c.part+".") {
			return ErrRefused
		}
		all.add(c, l, m)
		return nil
	})
	return doc.Named(err)
}

// refused reports whether an Envoy doesn't know what it was asked for.
func refused(err error) bool { return errors.Is(err, ErrRefused) || errors.Is(err, fs.ErrNotExist) }

// ErrRefused is the error of a [Fetch] of some fields that an Envoy refuses with
// 400, 404 or 431, or doesn't understand: the section has to be asked for instead.
var ErrRefused = errors.New("the Envoy doesn't know these fields")
