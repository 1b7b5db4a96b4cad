package envoy

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// These are the states of a resource.
const (
	stateActive   = "ACTIVE"
	stateStatic   = "STATIC"
	stateWarming  = "WARMING"
	stateDraining = "DRAINING"
	stateRejected = "REJECTED"
)

// A resource is one version of a named configuration in Envoy, in one state,
// such as active or warming.
type resource struct {
	name    string // the resource's own name; if it has none, the name of its element in the dump
	state   string
	version string
	updated string        // the time of the last update, as Envoy writes it
	failure string        // the reason why Envoy refused the resource
	named   bool          // true if the name comes from the resource itself
	encoded *decode.Value // the encoded resource, if it is decoded only when it is read
	// the fields that the pass has decoded, although the resource stays
	// encoded; nil if there are none
	noted  *object.Object
	fields *object.Object // the resource, decoded one level deep; must not be changed
}

// A list is one of the lists of resources in a part of the dump.
type list struct {
	field string // the name of the list, such as "dynamicActiveClusters"
	state string // the state of all resources in the list; empty if each element contains one resource per state
}

// A catalog describes where a part of the dump contains the resources of a
// section, and how to convert them to objects.
type catalog struct {
	section mesh.Section
	part    string // the message type of the part, such as "ClustersConfigDump"
	lists   []list
	field   string       // the field of an element that contains the resource
	name    string       // the field of the resource that contains its name
	inside  *decode.Node // the decoder's node that reads a resource
	eager   bool         // true if the pass decodes resources completely
	written bool         // true if objects have only the fields that Envoy has written and the derived ones

	make func(*Proxy, *resource) *object.Object // creates the fields of an object
	// for each derived field, the fields from which it is computed, as
	// mesh.Needs returns them
	needs map[string][]string
	// the Envoy fields that are replaced by fields of the same name that make
	// sets
	replaced []string

	// noted lists the fields that are decoded while the dump is searched for
	// resources, although the rest of the resource stays encoded. Derived fields need
	// them, or queries read them often. whole lists those of them whose nested values
	// are decoded as well.
	noted []decode.Field
	whole []string

	masked *masked // describes how to request some fields of resources; nil if that is not possible
}

// kind returns the kind of the objects of the catalog's section.
func (c *catalog) kind() string {
	i := slices.IndexFunc(mesh.Sections(), func(p mesh.Part) bool { return p.Name == c.section })
	return mesh.Sections()[i].Of
}

// isDerived reports whether a field of an object is not a field of the resource
// itself. These are the fields that every resource has, such as state and version,
// and those that make sets.
func (c *catalog) isDerived(field string) bool {
	switch field {
	case "kind", "name", "state", "versionInfo", "lastUpdated", "error":
		return true
	}
	_, derived := c.needs[field]
	return derived || slices.Contains(c.replaced, field)
}

// isNoted reports whether the pass decodes a field or, if the field is derived,
// all fields from which it is computed.
func (c *catalog) isNoted(field string) bool {
	needs, derived := c.needs[field]
	if !derived {
		return c.isDerived(field) && !slices.Contains(c.replaced, field) || slices.Contains(c.whole, field)
	}
	return !slices.ContainsFunc(needs, func(need string) bool {
		return need != c.name && !slices.ContainsFunc(c.noted, func(f decode.Field) bool { return f.Name == need })
	})
}

// withNotes returns the catalog. If the query reads none of the catalog's noted
// fields, which are decoded in advance, it returns the catalog without them.
func (p *Proxy) withNotes(c catalog) catalog {
	look, known := p.Reads[c.section]
	if known && !slices.ContainsFunc(look.Fields, func(path string) bool {
		field, _, _ := strings.Cut(path, ".")
		needs := c.needs[field]
		return slices.Contains(c.whole, field) || needs != nil && !slices.Equal(needs, []string{c.name}) && c.isNoted(field)
	}) {
		c.noted, c.whole = nil, nil
	}
	return c
}

// stateFields are the fields of a listener's element in the dump. Each contains
// the listener in one state.
var stateFields = []list{{"activeState", stateActive}, {"warmingState", stateWarming}, {"drainingState", stateDraining}}

// resources reads all resources of a catalog, sorted by name and state.
func (p *Proxy) resources(ctx context.Context, c catalog) ([]resource, error) {
	c = p.withNotes(c)
	d, err := p.current(ctx, c.section)
	if err != nil {
		return nil, err
	}
	var all collection
	if err := d.must(ctx, all.reading(c)); err != nil {
		return nil, err
	}
	all.sort()
	return distinct(ctx, all.found)
}

// distinct removes duplicates of static and rejected resources. Envoy lists a
// static route configuration once for each filter chain that uses it. Different
// resources may have the same name, and many have none, so the whole content is
// compared. Envoy may list a rejected listener twice: once with a time, in the
// element of the listener that it should have replaced, and once without a time, in an
// element of its own. The one with a time is kept.
func distinct(ctx context.Context, all []resource) ([]resource, error) {
	out := all[:0:0]
	for i := 0; i < len(all); {
		j := i + 1
		for j < len(all) && all[j].name == all[i].name && all[j].state == all[i].state {
			j++
		}
		alike := all[i:j]
		if len(alike) > 1 && (alike[0].state == stateStatic || alike[0].state == stateRejected) {
			var err error
			if alike, err = uniqueResources(ctx, alike); err != nil {
				return nil, err
			}
		}
		out = append(out, alike...)
		i = j
	}
	return out, nil
}

func uniqueResources(ctx context.Context, all []resource) ([]resource, error) {
	slices.SortStableFunc(all, func(a, b resource) int { return cmp.Compare(b.updated, a.updated) }) // sort resources with a time before those without
	var out []resource
	var seen []any
	for _, r := range all {
		whole, err := mesh.Deep(ctx, []any{r.failure, r.fields, r.raw()})
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(seen, func(v any) bool { return object.Equal(v, whole) }) {
			continue
		}
		seen, out = append(seen, whole), append(out, r)
	}
	return out, nil
}

// A collection collects the resources that a pass reads.
type collection struct {
	found   []resource
	start   int    // the index in found of the first resource of the current part
	version string // the version of the current part
}

func (all *collection) reading(c catalog) reading {
	r := reading{kind: c.part, ended: all.ended}
	r.fields = []decode.Field{{Name: "versionInfo", Node: &decode.Node{Visit: tagVersion}}}
	for i, l := range c.lists {
		r.fields = append(r.fields, decode.Field{Name: l.field, Node: &decode.Node{Walk: true, Elem: c.element(l, tagOwn+i)}})
	}
	r.take = func(tag int, v any) {
		if tag == tagVersion {
			all.version, _ = v.(string)
			return
		}
		m, _ := v.(*object.Object)
		all.add(c, c.lists[tag-tagOwn], m)
	}
	return r
}

// element returns the decoder's node that reads an element of a list.
func (c catalog) element(l list, tag int) *decode.Node {
	own := []decode.Field{{Name: "versionInfo", Node: &decode.Node{}}, {Name: "lastUpdated", Node: &decode.Node{}}}
	held := append(own, decode.Field{Name: c.field, Node: c.held()})
	failed := append(own[:2:2],
		decode.Field{Name: "failedConfiguration", Node: c.inside},
		decode.Field{Name: "lastUpdateAttempt", Node: &decode.Node{}},
		decode.Field{Name: "details", Node: &decode.Node{}})
	fields := []decode.Field{{Name: "name", Node: &decode.Node{}}, {Name: "errorState", Node: &decode.Node{Fields: failed}}}
	if l.state != "" {
		return &decode.Node{Visit: tag, Fields: append(fields, held...)}
	}
	for _, s := range stateFields {
		fields = append(fields, decode.Field{Name: s.field, Node: &decode.Node{Fields: held}})
	}
	return &decode.Node{Visit: tag, Fields: fields}
}

// held returns the decoder's node that reads a resource. Unless the catalog is
// eager, this node reads only the resource's position, its name, and the noted
// fields.
func (c catalog) held() *decode.Node {
	if c.eager {
		return c.inside
	}
	return &decode.Node{Place: true, Fields: append([]decode.Field{{Name: c.name, Node: &decode.Node{}}}, c.noted...)}
}

// add adds all resources of an element: one, or one for each state, and also the
// one that Envoy refused, if there is one.
func (all *collection) add(c catalog, l list, element *object.Object) {
	place := cmp.Or(element.Text("name"), heldBy(element, c.field).Text(c.name))
	if l.state != "" {
		all.hold(c, l.state, place, element)
	} else {
		for _, s := range stateFields {
			if held := element.Object(s.field); held != nil {
				all.hold(c, s.state, place, held)
			}
		}
	}
	if failed := element.Object("errorState"); failed != nil {
		config := failed.Object("failedConfiguration")
		all.found = append(all.found, resource{
			name: cmp.Or(config.Text(c.name), place), state: stateRejected, fields: config,
			version: failed.Text("versionInfo"), updated: failed.Text("lastUpdateAttempt"), failure: failed.Text("details"),
		})
	}
}

// hold adds one resource. An element may contain no resource, for example if its
// first version was refused, or if it is a secret that Envoy still waits for.
func (all *collection) hold(c catalog, state, place string, held *object.Object) {
	r := resource{state: state, version: held.Text("versionInfo"), updated: held.Text("lastUpdated")}
	config := heldBy(held, c.field)
	if there, ok := held.Get(c.field).(*decode.Place); ok {
		r.encoded = there.Value
		if c.noted != nil {
			r.noted = there.Known
		}
	} else {
		r.fields = config
	}
	if config == nil && held.Get("errorState") != nil {
		return
	}
	name := config.Text(c.name)
	r.name, r.named = cmp.Or(name, place), name != ""
	all.found = append(all.found, r)
}

// heldBy returns those fields of a resource that the pass has decoded. field is
// the field of m that contains the resource.
func heldBy(m *object.Object, field string) *object.Object {
	if there, ok := m.Get(field).(*decode.Place); ok {
		return there.Known
	}
	return m.Object(field)
}

// ended ends a part. Resources without a version get the part's version, because
// istiod may set the version only there. If the part is of another kind, its
// resources are dropped.
func (all *collection) ended(mine bool) {
	if !mine {
		all.found = all.found[:all.start]
	}
	for i := range all.found[all.start:] {
		r := &all.found[all.start+i]
		if r.version == "" && r.state != stateStatic && r.state != stateRejected {
			r.version = all.version
		}
	}
	all.start, all.version = len(all.found), ""
}

func (all *collection) sort() {
	slices.SortStableFunc(all.found, func(a, b resource) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.state, b.state))
	})
}

// raw returns the resource as an undecoded value, or nil if it is decoded.
func (r *resource) raw() any {
	if r.encoded == nil {
		return nil
	}
	return r.encoded
}

// document returns a map with the fields of the resource and the fields that every
// kind of resource has. It has space for some more fields.
func (r *resource) document(more int) *object.Object {
	m := object.New(r.fields.Len() + more + 6)
	m.SetAll(r.fields)
	m.Set("kind", nil) // reserve the first position for "kind"
	if r.fields.Len() == 0 && r.name != "" {
		m.Set("name", r.name)
	}
	m.Set("state", r.state)
	if r.version != "" {
		m.Set("versionInfo", r.version)
	} else if r.state != stateStatic { // static resources have no version
		m.Set("versionInfo", nil)
	}
	m.Set("lastUpdated", nil)
	if r.updated != "" {
		m.Set("lastUpdated", seconds(r.updated))
	}
	if r.failure != "" {
		m.Set("error", r.failure)
	}
	return m
}

// objects returns the objects of a section.
func (p *Proxy) objects(c *catalog, all []resource) []any {
	out, kind := make([]any, len(all)), c.kind()
	for i, r := range all { // r is a copy, so that an element in memory doesn't keep the others alive
		out[i] = mesh.MadeObject(kind, p.owner, &element{proxy: p, catalog: c, resource: r})
	}
	p.grow(costElement * int64(len(out)))
	return out
}

// An element creates the fields of a resource's object when they are read.
type element struct {
	proxy    *Proxy
	catalog  *catalog
	resource resource
	decoded  atomic.Int32 // the number of members that were decoded individually
}

// mostAlone limits how many members of a resource are decoded individually. For
// a query that reads more members, decoding all of them at once is cheaper.
const mostAlone = 2

// Fields implements [mesh.Maker].
func (e *element) Fields(ctx context.Context) (*object.Object, error) {
	r := e.resource // copy the resource, so that this object doesn't keep the decoded fields a second time
	if r.encoded != nil {
		// decode one level; objects and arrays inside stay encoded
		decode := func(ctx context.Context) (any, error) { return r.encoded.Part(ctx, e.catalog.inside) }
		if h, ok := e.proxy.Reads[e.catalog.section]; ok && h.Fields == nil && !h.Few {
			decode = r.encoded.Deep // the query reads everything, so decode it in one pass
		}
		v, err := decode(ctx)
		if err != nil {
			return nil, err
		}
		r.fields, _ = v.(*object.Object)
	}
	m := e.catalog.make(e.proxy, &r)
	m.Rotate(r.fields.Len())
	e.proxy.grow(fieldsCost(m))
	return m, nil
}

// Member implements [mesh.Maker].
func (e *element) Member(key string) (any, bool) {
	r := &e.resource
	switch {
	case key == "state":
		return r.state, true
	case key == "name" && r.named:
		return r.name, true
	case r.noted != nil && slices.Contains(e.catalog.whole, key):
		return r.noted.Get(key), true
	case e.catalog.isDerived(key):
		return nil, false
	case r.encoded == nil:
		return r.fields.Get(key), e.catalog.written
	case e.decoded.Add(1) > mostAlone:
		return nil, false
	}
	v, err := r.encoded.Member(context.Background(), key)
	return v, err == nil // if there is an error, Fields will return it
}

// Some implements [mesh.Chooser]. If the fields that the pass has decoded suffice, it
// creates the given fields from those and leaves the resource encoded.
func (e *element) Some(_ context.Context, keys []string) *object.Object {
	r := e.resource
	if r.noted == nil || slices.ContainsFunc(keys, func(key string) bool { return !e.catalog.isNoted(key) }) {
		return nil
	}
	r.fields = r.noted
	m := e.catalog.make(e.proxy, &r)
	out := object.New(len(keys) + 1)
	for _, key := range keys { // set only the requested fields, because a noted field may be decoded only in part
		out.Set(key, m.Get(key))
	}
	return out
}

// seconds converts a time of Envoy to the document's form: UTC with whole seconds.
func seconds(s string) string {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return s
	}
	return t.UTC().Format(time.RFC3339)
}

// A nested is an object inside a resource: a virtual host or a route. It has
// Envoy's fields and some derived ones.
type nested struct {
	proxy   *Proxy
	encoded any
	ours    []string             // the names of the fields that the function set adds
	set     func(*object.Object) // adds fields to a copy of Envoy's fields
	decoded atomic.Int32         // the number of members that were decoded individually
}

// ourFields returns the names of the fields that the plugin adds to a kind, and of
// those Envoy fields that it replaces.
func ourFields(kind string, replaced ...string) []string {
	k, _ := mesh.KindOf(kind)
	for _, f := range k.Fields {
		replaced = append(replaced, f.Name)
	}
	return replaced
}

func newNested(p *Proxy, kind string, encoded any, ours []string, set func(*object.Object)) *mesh.Object {
	return mesh.MadeObject(kind, p.owner, &nested{proxy: p, encoded: encoded, ours: ours, set: set})
}

func (n *nested) decode(ctx context.Context) (*object.Object, error) {
	v, err := mesh.Force(ctx, n.encoded)
	m, _ := v.(*object.Object)
	return m, err
}

// Fields implements [mesh.Maker].
func (n *nested) Fields(ctx context.Context) (*object.Object, error) {
	own, err := n.decode(ctx)
	if err != nil {
		return nil, err
	}
	m := object.New(own.Len() + len(n.ours))
	m.SetAll(own)
	m.Set("kind", nil) // reserve the first position for "kind"
	n.set(m)
	m.Rotate(own.Len())
	n.proxy.grow(fieldsCost(m))
	return m, nil
}

// Member implements [mesh.Maker]. Copying all of Envoy's fields is most of the
// cost of an object, so a few members are decoded individually.
func (n *nested) Member(key string) (any, bool) {
	if slices.Contains(n.ours, key) || n.decoded.Add(1) > mostAlone {
		return nil, false
	}
	own, err := n.decode(context.Background())
	return own.Get(key), err == nil // if there is an error, Fields will return it
}
