package sources

import (
	"strings"
	"sync"

	"github.com/meshq/kubectl-meshq/sources/envoy"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// A Schema contains the fields of each kind of object in the document, and the type
// of each field's value. It covers the plugin's own kinds, Envoy's messages, and
// Kubernetes objects as far as their kinds are known. Several goroutines may use a
// Schema at once.
type Schema struct {
	ours  func() map[string][]mesh.Member
	envoy sync.Map // maps the full name of a message to its members
}

// NewSchema returns a schema. The fields are collected at the first call of Members.
func NewSchema() *Schema {
	return &Schema{ours: sync.OnceValue(ourMembers)}
}

// Members returns the fields of the objects with a shape. [mesh.Holding] describes
// the names of shapes. Members returns nil if the shape is unknown.
func (s *Schema) Members(shape string) []mesh.Member {
	if m, ok := s.ours()[shape]; ok {
		return m
	}
	if m, ok := s.envoy.Load(shape); ok {
		return m.([]mesh.Member)
	}
	if m := envoy.Members(shape); m != nil {
		s.envoy.Store(shape, m)
		return m
	}
	if shape != "" && !strings.Contains(shape, ".") { // the shape is a Kubernetes kind
		return s.ours()["KubernetesObject"]
	}
	return nil
}

func ourMembers() map[string][]mesh.Member {
	all := mesh.Shapes()
	for _, k := range Kinds() {
		members := k.MembersOf()
		for _, m := range envoy.Members(k.Message) {
			switch k.Name + "." + m.Name {
			case "RouteConfiguration.virtualHosts":
				m.Holding.Objects = []string{"VirtualHost"}
			case "VirtualHost.routes":
				m.Holding.Objects = []string{"Route"}
			}
			members = append(members, m)
		}
		all[k.Name] = members
	}
	return all
}
