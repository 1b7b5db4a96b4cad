package envoy

import (
	"cmp"
	"context"
	"slices"
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

// A resource is what Envoy holds under a name in one state.
type resource struct {
	name    string // of the resource or, where that isn't known, of its place in the dump
	state   string
	version string
	updated string         // as Envoy writes it
	failure string         // why Envoy refused it
	named   bool           // it says its name itself
	held    *decode.Value  // it, where it stays in the bytes until it is looked into
	noted   *object.Object // beside that, what the pass has built of it; nil where that isn't what facts are made of
	fields  *object.Object // one level; not to be changed
}

// A list is one of the lists that a part of the dump is made of.
type list struct {
	field string // "dynamicActiveClusters"
	state string // of its elements; empty where an element holds a resource for each of its states
}

// A catalog is how a part of the dump holds its resources.
type catalog struct {
	section mesh.Section
	kind    string // of the part
	lists   []list
	field   string       // that holds the resource
	name    string       // the resource's field that is its name
	inside  *decode.Node // of the resource
	eager   bool         // what is inside is wanted in the pass
	written bool         // beside facts, an object has the fields that Envoy writes and no others
	facts   []string     // the fields of its objects that Envoy doesn't write so, beside those of all

	// noted are the fields of a resource that stays where it is that the pass
	// builds all the same: all that facts are made of, and others that are looked
	// at often. Those of whole are all there.
	noted []decode.Field
	whole []string
}

// inStates are the fields of a listener's element that hold one of its states.
var inStates = []list{{"activeState", stateActive}, {"warmingState", stateWarming}, {"drainingState", stateDraining}}

// resources reads all resources of a catalog, by name and state.
func (p *Proxy) resources(ctx context.Context, c catalog) ([]resource, error) {
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

// distinct leaves out static resources that are there already: Envoy holds a
// route configuration once for each filter chain that it is written in. They
// must be alike in all they say; a name alone tells nothing, and many have none.
// So with what was refused, of which Envoy may tell twice: beside the listener
// that it should have replaced, with a time, and on its own, without.
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
			if alike, err = withoutTwins(ctx, alike); err != nil {
				return nil, err
			}
		}
		out = append(out, alike...)
		i = j
	}
	return out, nil
}

func withoutTwins(ctx context.Context, all []resource) ([]resource, error) {
	slices.SortStableFunc(all, func(a, b resource) int { return cmp.Compare(b.updated, a.updated) }) // one with a time first
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

// A collection gathers the resources of a pass.
type collection struct {
	found   []resource
	start   int    // of the part being read, in found
	version string // of the part
}

func (all *collection) reading(c catalog) reading {
	r := reading{kind: c.kind, ended: all.ended}
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

// element is the node of an element of a list.
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
	for _, s := range inStates {
		fields = append(fields, decode.Field{Name: s.field, Node: &decode.Node{Fields: held}})
	}
	return &decode.Node{Visit: tag, Fields: fields}
}

// held is the node of a resource. One that can be looked into later stays where
// it is, but for its name.
func (c catalog) held() *decode.Node {
	if c.eager {
		return c.inside
	}
	return &decode.Node{Place: true, Fields: append([]decode.Field{{Name: c.name, Node: &decode.Node{}}}, c.noted...)}
}

// add takes the resources of an element: one, or one for each of its states,
// and what was refused.
func (all *collection) add(c catalog, l list, element *object.Object) {
	place := cmp.Or(text(element, "name"), text(heldBy(element, c.field), c.name))
	if l.state != "" {
		all.hold(c, l.state, place, element)
	} else {
		for _, s := range inStates {
			if held := objectIn(element, s.field); held != nil {
				all.hold(c, s.state, place, held)
			}
		}
	}
	if failed := objectIn(element, "errorState"); failed != nil {
		config := objectIn(failed, "failedConfiguration")
		all.found = append(all.found, resource{
			name: cmp.Or(text(config, c.name), place), state: stateRejected, fields: config,
			version: text(failed, "versionInfo"), updated: text(failed, "lastUpdateAttempt"), failure: text(failed, "details"),
		})
	}
}

// hold takes one resource. An element may hold none: one that was refused at
// once, and a secret that is still waited for by name.
func (all *collection) hold(c catalog, state, place string, held *object.Object) {
	r := resource{state: state, version: text(held, "versionInfo"), updated: text(held, "lastUpdated")}
	config := heldBy(held, c.field)
	if there, ok := held.Get(c.field).(*decode.Place); ok {
		r.held = there.Value
		if c.noted != nil {
			r.noted = there.Known
		}
	} else {
		r.fields = config
	}
	if config == nil && held.Get("errorState") != nil {
		return
	}
	name := text(config, c.name)
	r.name, r.named = cmp.Or(name, place), name != ""
	all.found = append(all.found, r)
}

// heldBy gives what the pass has built of the resource in a field.
func heldBy(m *object.Object, field string) *object.Object {
	if there, ok := m.Get(field).(*decode.Place); ok {
		return there.Known
	}
	return objectIn(m, field)
}

// ended gives the part's version to those of its resources that have none of
// their own: istiod writes it once.
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

// raw is what is still bytes of it.
func (r *resource) raw() any {
	if r.held == nil {
		return nil
	}
	return r.held
}

// document gives the resource's fields with the facts that every kind has, and
// room for some more.
func (r *resource) document(more int) *object.Object {
	m := object.New(r.fields.Len() + more + 6)
	m.SetAll(r.fields)
	m.Set("kind", nil) // its place
	if r.fields.Len() == 0 && r.name != "" {
		m.Set("name", r.name)
	}
	m.Set("state", r.state)
	if r.version != "" {
		m.Set("versionInfo", r.version)
	} else if r.state != stateStatic { // what is static has no version
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

// objects makes the objects of a section; fields makes those of one.
func (p *Proxy) objects(c *catalog, kind string, all []resource, fields func(*resource) *object.Object) []any {
	out := make([]any, len(all))
	for i, r := range all { // a copy for each: who keeps one element must not keep them all
		out[i] = mesh.MadeObject(kind, p.owner, &element{proxy: p, catalog: c, resource: r, fields: fields})
	}
	p.told(costElement * int64(len(out)))
	return out
}

// An element makes an object of a resource. What it goes by is known before.
type element struct {
	proxy    *Proxy
	catalog  *catalog
	resource resource
	fields   func(*resource) *object.Object
	looks    atomic.Int32 // for one member
}

// mostLooks is how often one member of a resource is decoded alone. Who looks
// for more is served better by all.
const mostLooks = 2

// Fields is that of [mesh.Maker]. What was decoded for them is not kept beside
// them.
func (e *element) Fields(ctx context.Context) (*object.Object, error) {
	r := e.resource
	if r.held != nil {
		v, err := r.held.Part(ctx, e.catalog.inside)
		if err != nil {
			return nil, err
		}
		r.fields, _ = v.(*object.Object)
	}
	m := e.fields(&r)
	m.Rotate(r.fields.Len())
	e.proxy.told(fieldsCost(m))
	return m, nil
}

// Member is that of [mesh.Maker].
func (e *element) Member(key string) (any, bool) {
	switch {
	case key == "state":
		return e.resource.state, true
	case key == "name" && e.resource.named:
		return e.resource.name, true
	case e.resource.noted != nil && slices.Contains(e.catalog.whole, key):
		return e.resource.noted.Get(key), true
	case factOfAll(key) || slices.Contains(e.catalog.facts, key):
		return nil, false
	case e.resource.held == nil:
		return e.resource.fields.Get(key), e.catalog.written
	case e.looks.Add(1) > mostLooks:
		return nil, false
	}
	v, err := e.resource.held.Member(context.Background(), key)
	return v, err == nil // else who makes them all hears of it
}

// Some is that of [mesh.Chooser]: what the pass over all resources has noted, for
// as long as that is enough.
func (e *element) Some(_ context.Context, keys []string) *object.Object {
	r := e.resource
	if r.noted == nil {
		return nil
	}
	for _, key := range keys {
		if !factOfAll(key) && !slices.Contains(e.catalog.facts, key) && !slices.Contains(e.catalog.whole, key) {
			return nil
		}
	}
	r.fields = r.noted
	m := e.fields(&r)
	out := object.New(len(keys) + 1)
	for _, key := range keys { // no others: of a field that facts are made of only that may be there
		out.Set(key, m.Get(key))
	}
	return out
}

// factOfAll tells whether it is a field that every object of a resource has,
// whatever Envoy writes.
func factOfAll(key string) bool {
	switch key {
	case "kind", "name", "state", "versionInfo", "lastUpdated", "error":
		return true
	}
	return false
}

// seconds writes a time of Envoy's as the document has it: in UTC, with whole
// seconds.
func seconds(s string) string {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return s
	}
	return t.UTC().Format(time.RFC3339)
}

func text(m *object.Object, key string) string {
	s, _ := m.Get(key).(string)
	return s
}

func objectIn(m *object.Object, key string) *object.Object {
	o, _ := m.Get(key).(*object.Object)
	return o
}
