package apiserver

import (
	"fmt"
	"maps"
	"slices"
)

// An Object is a Kubernetes object as JSON: maps, slices, strings, bools and
// json.Number. The server doesn't change it.
type Object = map[string]any

// Objects holds the objects of a cluster. The zero value holds none.
type Objects struct {
	of map[string]map[string]Object // the objects of each resource, by namespace/name
}

// Add adds an object of a resource, or replaces the one of the same name.
func (o *Objects) Add(resource string, object Object) {
	if o.of == nil {
		o.of = map[string]map[string]Object{}
	}
	if o.of[resource] == nil {
		o.of[resource] = map[string]Object{}
	}
	o.of[resource][Key(object)] = object
}

// Remove removes an object. It does nothing if there is none.
func (o *Objects) Remove(resource, key string) { delete(o.of[resource], key) }

// Get returns an object by its key, or nil.
func (o *Objects) Get(resource, key string) Object { return o.of[resource][key] }

// All returns the objects of a resource, sorted by namespace and name.
func (o *Objects) All(resource string) []Object {
	all := make([]Object, 0, len(o.of[resource]))
	for _, key := range slices.Sorted(maps.Keys(o.of[resource])) {
		all = append(all, o.of[resource][key])
	}
	return all
}

// Serve makes the cluster serve a custom resource, even if it has no object of it.
func (o *Objects) Serve(resource string) {
	if kind := kinds()[resource]; kind != "" && IsCustom(resource) {
		o.Add(crds, definition(resource, kind))
	}
}

// Clone returns a copy with the same objects. Adding to and removing from the copy
// leaves o unchanged.
func (o *Objects) Clone() *Objects {
	c := &Objects{of: make(map[string]map[string]Object, len(o.of))}
	for resource, all := range o.of {
		c.of[resource] = maps.Clone(all)
	}
	return c
}

// Key returns the object's namespace and name, separated by a slash. The namespace
// is empty for an object of the whole cluster.
func Key(o Object) string {
	m := Metadata(o)
	return Text(m["namespace"]) + "/" + Text(m["name"])
}

// Metadata returns the object's metadata, which may be nil.
func Metadata(o Object) Object {
	m, _ := o["metadata"].(Object)
	return m
}

// Text returns v if it is a string, and "" otherwise.
func Text(v any) string {
	s, _ := v.(string)
	return s
}

// At returns the value at a path of field names, or nil.
func At(v any, path ...string) any {
	for _, p := range path {
		o, _ := v.(Object)
		v = o[p]
	}
	return v
}

// List returns the array at a path of field names, or nil.
func List(v any, path ...string) []any {
	l, _ := At(v, path...).([]any)
	return l
}

// A Change is an object that is added, changed or removed.
type Change struct {
	Resource string
	Object   Object
	Remove   bool
}

func (c Change) String() string {
	return fmt.Sprintf("%s %s", c.Resource, Key(c.Object))
}

// Apply makes the changes to o.
func (o *Objects) Apply(all []Change) {
	for _, c := range all {
		if c.Remove {
			o.Remove(c.Resource, Key(c.Object))
		} else {
			o.Add(c.Resource, c.Object)
		}
	}
}
