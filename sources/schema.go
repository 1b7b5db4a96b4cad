package sources

import (
	"strings"
	"sync"

	"github.com/meshq/kubectl-meshq/sources/envoy"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// A Schema knows which fields the objects of the document have and what stands
// in each: those of our kinds, of Envoy's messages, and of Kubernetes' objects
// as far as their kinds are known. It may be used by several goroutines at
// once.
type Schema struct {
	ours  func() map[string][]mesh.Member
	envoy sync.Map // a message's full name → its members
}

// NewSchema makes the schema; nothing is read before it is asked for.
func NewSchema() *Schema {
	return &Schema{ours: sync.OnceValue(ourMembers)}
}

// Members gives the fields of an object by its shape's name, see
// [mesh.Holding]; nil for one that is not known.
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
	if shape != "" && !strings.Contains(shape, ".") { // a kind of Kubernetes'
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
