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

// The states of a resource.
const (
	stateActive   = "ACTIVE"
	stateStatic   = "STATIC"
	stateWarming  = "WARMING"
	stateDraining = "DRAINING"
	stateRejected = "REJECTED"
)

// A resource is what Envoy has under a name in one state.
type resource struct {
	name    string // the resource's, else that of its element in the dump
	state   string
	version string
	updated string         // as Envoy writes it
	failure string         // why Envoy refused it
	named   bool           // name is the resource's own
	encoded *decode.Value  // the resource, if it is decoded only when it is read
	noted   *object.Object // what the pass has decoded of it all the same; nil if nothing was asked for
	fields  *object.Object // the resource, one level deep; not to be changed
}

// A list is one of the lists that a part of the dump is made of.
type list struct {
	field string // "dynamicActiveClusters"
	state string // of its elements; empty if an element holds one resource for each state
}

// A catalog says how a part of the dump holds the resources of a section, and
// how they become objects.
type catalog struct {
	section mesh.Section
	part    string // the message of the part, "ClustersConfigDump"
	lists   []list
	field   string       // the field of an element that holds the resource
	name    string       // the field of the resource that is its name
	inside  *decode.Node // reads a resource
	eager   bool         // resources are decoded in the pass
	written bool         // an object has the fields that Envoy writes, derived ones, and no others

	make     func(*Proxy, *resource) *object.Object // makes the fields of an object
	needs    map[string][]string                    // the derived fields of an object, as mesh.Needs has them
	replaced []string                               // fields of Envoy's that make replaces by others of the name

	// noted are fields that the pass decodes although the resource is decoded
	// later: they are needed for derived fields or read often. Those of whole are
	// decoded with all that is in them.
	noted []decode.Field
	whole []string

	masked *masked // how some fields of resources are asked for; nil: they can't be
}

// kind returns the kind of the objects.
func (c *catalog) kind() string {
	i := slices.IndexFunc(mesh.Sections(), func(p mesh.Part) bool { return p.Name == c.section })
	return mesh.Sections()[i].Of
}

// isDerived reports whether a field of an object is not the resource's own: state
// and version, which every resource has, and those that make sets.
func (c *catalog) isDerived(field string) bool {
	switch field {
	case "kind", "name", "state", "versionInfo", "lastUpdated", "error":
		return true
	}
	_, derived := c.needs[field]
	return derived || slices.Contains(c.replaced, field)
}

// isNoted reports whether the pass decodes a field, or all that a derived field
// needs.
func (c *catalog) isNoted(field string) bool {
	needs, derived := c.needs[field]
	if !derived {
		return c.isDerived(field) && !slices.Contains(c.replaced, field) || slices.Contains(c.whole, field)
	}
	return !slices.ContainsFunc(needs, func(need string) bool {
		return need != c.name && !slices.ContainsFunc(c.noted, func(f decode.Field) bool { return f.Name == need })
	})
}

// withNotes returns the catalog without noted fields if the query is known to read
// none of them.
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

// stateFields are the fields of a listener's element that hold one of its states.
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

// distinct removes static and rejected resources that are in the list twice. Envoy
// lists a static route configuration once for each filter chain that has it;
// resources of one name may differ, and many have no name, so that everything is
// compared. A rejected listener may be listed beside the listener that it should
// have replaced, with a time, and again on its own, without.
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
	slices.SortStableFunc(all, func(a, b resource) int { return cmp.Compare(b.updated, a.updated) }) // those with a time first
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

// A collection collects the resources of a pass.
type collection struct {
	found   []resource
	start   int    // where the part that is being read starts in found
	version string // the part's
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

// element returns the node that reads an element of a list.
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

// held returns the node that reads a resource: unless the catalog is eager, only
// its place, its name, and what is noted.
func (c catalog) held() *decode.Node {
	if c.eager {
		return c.inside
	}
	return &decode.Node{Place: true, Fields: append([]decode.Field{{Name: c.name, Node: &decode.Node{}}}, c.noted...)}
}

// add adds the resources of an element: one, or one for each of its states, and
// the one that Envoy refused.
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

// hold adds one resource. An element may have none: a resource that was refused
// at once, or a secret that Envoy still waits for.
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

// heldBy returns what the pass has decoded of the resource in a field.
func heldBy(m *object.Object, field string) *object.Object {
	if there, ok := m.Get(field).(*decode.Place); ok {
		return there.Known
	}
	return m.Object(field)
}

// ended ends a part. Resources without a version get the part's: istiod writes it
// once. What was read of another part is dropped.
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

// raw returns the part of the resource that is not decoded, or nil.
func (r *resource) raw() any {
	if r.encoded == nil {
		return nil
	}
	return r.encoded
}

// document returns the resource's fields and the ones that every kind of resource
// has, with room for some more.
func (r *resource) document(more int) *object.Object {
	m := object.New(r.fields.Len() + more + 6)
	m.SetAll(r.fields)
	m.Set("kind", nil) // reserves its position
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

// objects makes the objects of a section.
func (p *Proxy) objects(c *catalog, all []resource) []any {
	out, kind := make([]any, len(all)), c.kind()
	for i, r := range all { // r is a copy: an element that is kept must not keep the others
		out[i] = mesh.MadeObject(kind, p.owner, &element{proxy: p, catalog: c, resource: r})
	}
	p.grow(costElement * int64(len(out)))
	return out
}

// An element makes the fields of one resource's object when they are read.
type element struct {
	proxy    *Proxy
	catalog  *catalog
	resource resource
	decoded  atomic.Int32 // how many members were decoded alone
}

// mostAlone is how many members of a resource are decoded alone. A query that
// reads more is better served by all of them.
const mostAlone = 2

// Fields implements [mesh.Maker].
func (e *element) Fields(ctx context.Context) (*object.Object, error) {
	r := e.resource // a copy, so that what is decoded here is not kept twice
	if r.encoded != nil {
		v, err := r.encoded.Part(ctx, e.catalog.inside)
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
	return v, err == nil // Fields reports the error
}

// Some implements [mesh.Chooser]: it makes fields of what the pass has noted, if
// that is enough.
func (e *element) Some(_ context.Context, keys []string) *object.Object {
	r := e.resource
	if r.noted == nil || slices.ContainsFunc(keys, func(key string) bool { return !e.catalog.isNoted(key) }) {
		return nil
	}
	r.fields = r.noted
	m := e.catalog.make(e.proxy, &r)
	out := object.New(len(keys) + 1)
	for _, key := range keys { // no others: of a noted field only a part may be decoded
		out.Set(key, m.Get(key))
	}
	return out
}

// seconds converts a time of Envoy's to the document's form: UTC, whole seconds.
func seconds(s string) string {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return s
	}
	return t.UTC().Format(time.RFC3339)
}

// A nested object is one inside a resource, a virtual host or a route: it has
// Envoy's fields and some of ours.
type nested struct {
	proxy   *Proxy
	encoded any
	ours    []string             // the fields that set sets
	set     func(*object.Object) // gets a copy of Envoy's fields
	decoded atomic.Int32         // how many members were decoded alone
}

// ourFields returns the fields of a kind that are not Envoy's, and those that
// replace Envoy's.
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
	m.Set("kind", nil) // reserves its position
	n.set(m)
	m.Rotate(own.Len())
	n.proxy.grow(fieldsCost(m))
	return m, nil
}

// Member implements [mesh.Maker]. Copying all of Envoy's fields is most of what an
// object costs, so a few members are decoded alone.
func (n *nested) Member(key string) (any, bool) {
	if slices.Contains(n.ours, key) || n.decoded.Add(1) > mostAlone {
		return nil, false
	}
	own, err := n.decode(context.Background())
	return own.Get(key), err == nil // Fields reports the error
}
