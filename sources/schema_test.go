package sources

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// A surveyor compares a value with the schema.
type surveyor struct {
	t      *testing.T
	schema *Schema
	told   map[string]bool
	met    map[string]int // how many objects of each shape were compared
}

func (s *surveyor) tell(text string) {
	if !s.told[text] {
		s.told[text] = true
		s.t.Error(text)
	}
}

func (s *surveyor) object(where string, h mesh.Holding, v *object.Object) {
	shapes := h.Objects
	known := map[string]mesh.Member{}
	for _, shape := range shapes {
		members := s.schema.Members(shape)
		if members == nil {
			s.tell("no shape " + shape)
		}
		for _, m := range members {
			known[m.Name] = m
		}
		s.met[shape]++
	}
	for _, key := range v.Sorted() {
		m, ok := known[key]
		if !ok {
			if !h.Open && !strings.HasPrefix(key, "@") && !slices.ContainsFunc(shapes, partly) && (key != "kind" || !strings.Contains(shapes[0], ".")) {
				s.tell(where + " " + strings.Join(shapes, "|") + " has " + key + ", which the schema doesn't know")
			}
			continue
		}
		s.held(where+"."+key, m.Holding, v.Get(key))
	}
}

// partly reports whether the schema contains only some of the fields of a
// shape.
func partly(shape string) bool {
	return strings.HasSuffix(shape, "Spec") || shape == "ObjectMeta" || shape == "KubernetesObject" || shape == "Stat"
}

func (s *surveyor) held(where string, h mesh.Holding, v any) {
	v, err := mesh.Force(s.t.Context(), v)
	if f := (*mesh.Fault)(nil); errors.As(err, &f) || v == nil {
		return // the recording doesn't contain this value
	}
	if err != nil {
		s.t.Fatalf("%s: %v", where, err)
	}
	switch x := v.(type) {
	case []any:
		if !h.List {
			if !h.Open {
				s.tell(where + " is an array, the schema says none")
			}
			return
		}
		h.List = false
		for _, e := range x {
			s.held(where+"[]", h, e)
		}
	case *object.Object:
		switch {
		case h.List:
			s.tell(where + " is an object, the schema says an array")
		case h.Map:
			h.Map = false
			for _, e := range x.All() {
				s.held(where+"{}", h, e)
			}
		case len(h.Objects) > 0:
			s.object(where, h, x)
		case !h.Open:
			s.tell(where + " is an object, the schema says none")
		}
	default:
		if h.List || h.Map || len(h.Objects) > 0 {
			s.tell(where + " is no object and no array, the schema says one")
		}
		if text, ok := v.(string); ok && h.Values != nil && !slices.Contains(h.Values, text) {
			s.tell(where + " is " + text + ", which the schema doesn't know")
		}
	}
}

// TestSchemaIsOfTheDocument compares every field of a recorded mesh, at all levels,
// with the schema.
func TestSchemaIsOfTheDocument(t *testing.T) {
	m := open(t, Options{}, source(t, capture))
	s := &surveyor{t: t, schema: NewSchema(), told: map[string]bool{}, met: map[string]int{}}
	s.held("", mesh.Holding{Objects: []string{"Mesh"}}, m.Document())
	for _, shape := range []string{
		"Proxy", "Pilot", "Cluster", "Listener", "RouteConfiguration", "VirtualHost", "Route", "Endpoint", "Secret", "SyncState", "Service", "VirtualService",
		"envoy.config.listener.v3.FilterChain", "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", "envoy.config.bootstrap.v3.Bootstrap",
	} {
		if s.met[shape] == 0 {
			t.Errorf("no %s was met", shape)
		}
	}
}

// TestSchemaIsWhole checks that the schema contains every shape that it refers to,
// at all levels.
func TestSchemaIsWhole(t *testing.T) {
	s, seen := NewSchema(), map[string]bool{}
	for queue := []string{"Mesh", "Desired", "RouteMatch", "Difference", "Trace", "UnreachableRoute", "VirtualHost"}; len(queue) > 0; queue = queue[1:] {
		shape := queue[0]
		if seen[shape] {
			continue
		}
		seen[shape] = true
		members := s.Members(shape)
		if k, ours := mesh.KindOf(shape); members == nil && !(ours && k.Open) {
			t.Errorf("no shape %s", shape)
		}
		names := map[string]bool{}
		for _, m := range members {
			if names[m.Name] {
				t.Errorf("%s.%s is there twice", shape, m.Name)
			}
			names[m.Name] = true
			queue = append(queue, m.Holding.Objects...)
		}
	}
	if len(seen) < 400 {
		t.Errorf("%d shapes", len(seen))
	}
	for key := range mesh.Shapes() {
		if _, ok := mesh.KindOf(key); ok {
			t.Errorf("%s is a kind", key)
		}
	}
}
