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

// A masked describes how to request some fields of a section's elements. Nearly
// all elements are in one of the section's lists in the dump. That list is
// requested with a field mask, and the other lists completely.
//
// With the parameter "resource", Envoy returns the elements of one list and
// applies the mask to each of them. A mask can select a field of the resource
// in an element, but nothing inside this field (envoyproxy.io, admin interface,
// /config_dump?mask; measured on 1.40). Masks contain only names of fields in
// Envoy's messages, so no other text of a query can get into a request.
type masked struct {
	list    int    // the index, in the catalog, of the list that is requested with a mask
	others  string // the mask for the section's other lists
	always  string // the mask for the fields of an element that are always requested, outside the resource
	message string // the message of the resource; empty if a mask can't select fields in the resource
}

// mask returns the field mask with which the given fields can be requested. asked
// is the set of fields that the answer to this request will contain. ok is false
// if there is no such mask, or if a request with the mask would not be cheaper.
func (c *catalog) mask(fields []string) (mask string, asked mesh.Asked, ok bool) {
	if c == nil || c.masked == nil || fields == nil {
		return "", nil, false
	}
	asked = mesh.Asked{}
	if len(fields) == 0 { // without fields, the query only counts elements
		return c.masked.always, asked, true
	}
	within := []string{}
	for _, path := range append([]string{"name", "state", "lastUpdated"}, fields...) {
		name, _, _ := strings.Cut(path, ".")
		if name == "kind" { // the kind of an object is known without a request
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

// wireName returns Envoy's spelling of a field in one of its messages.
func wireName(message, field string) (string, bool) {
	m := envoyFields().message(message)
	if m == nil || !slices.Contains(m.fieldNames(), field) {
		return "", false
	}
	return snake(field), true
}

// snake converts the name of a field from lowerCamelCase to the snake_case of
// the descriptor. The result is wrong for fields with a special JSON name or
// with a digit after an underscore; such fields are never requested.
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

// CanExcerpt reports whether requesting some fields of a section's elements is
// cheaper than requesting the whole section, from an Envoy that supports masks.
func CanExcerpt(s mesh.Section, fields []string) bool {
	_, _, ok := sectionOf(s).catalog.mask(fields)
	return ok
}

// Excerpt requests some fields of the elements of a section; see [mesh.Hint].
// The caller has to set the proxy's id in the result, and the function that
// loads the whole section. Excerpt returns nil if the caller must request the
// whole section instead. That is so if the Envoy doesn't support the request,
// if the answer has another form, or if a resource is warming, because it could
// become active before the second request.
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

// readOthers requests the lists of a section that aren't requested with a mask,
// completely. ok is false if they contain a resource that isn't static, because
// then an excerpt is not possible.
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

// shallow returns a catalog for small answers. Its resources are decoded
// immediately, but only their top level.
func (c *catalog) shallow() catalog {
	small := *c
	small.eager, small.inside = true, &decode.Node{Shallow: true}
	return small
}

// readMasked requests the main list of a section with a mask. Every element of
// the answer contains its type.
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

// refused reports whether an error means that an Envoy doesn't support the
// request.
func refused(err error) bool { return errors.Is(err, ErrRefused) || errors.Is(err, fs.ErrNotExist) }

// ErrRefused is the error of a [Fetch] for some fields, if Envoy answers with
// 400, 404 or 431, or with something other than these fields. The caller must
// then request the whole section.
var ErrRefused = errors.New("the Envoy doesn't know these fields")
