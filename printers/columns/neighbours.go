package columns

import (
	"sync"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// Neighbours are what the cells of one object of a ztunnel have to know of the
// others: read once for each ztunnel, from the same answer as the object.
type Neighbours struct {
	mu sync.Mutex
	of map[*mesh.Object]*ambient
}

// An ambient is what a ztunnel knows, by what it is looked up by.
type ambient struct {
	mu       sync.Mutex
	services map[string]string // by waypoint destination, namespace/hostname or network/ip: the name
	healthy  map[string]bool   // by the workload's uid
}

// NewNeighbours returns neighbours of which none was read yet.
func NewNeighbours() *Neighbours { return &Neighbours{of: map[*mesh.Object]*ambient{}} }

// ambient gives that of the subject's proxy; nil when the subject doesn't know
// whose it is.
func (s *Subject) ambient() *ambient {
	if s.Neighbours == nil || s.Owner == nil {
		return nil
	}
	s.Neighbours.mu.Lock()
	defer s.Neighbours.mu.Unlock()
	a := s.Neighbours.of[s.Owner]
	if a == nil {
		a = &ambient{}
		s.Neighbours.of[s.Owner] = a
	}
	return a
}

// serviceAt gives the name of the service that a destination means, "" if it
// isn't known.
func (s *Subject) serviceAt(destination string) string {
	a := s.ambient()
	if a == nil {
		return ""
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.services == nil {
		services := map[string]string{}
		for _, service := range s.of(s.Owner).objects(string(mesh.Services)) {
			name := service.Text("name")
			services[service.Text("namespace")+"/"+service.Text("hostname")] = name
			for _, vip := range service.texts("vips") {
				services[vip] = name
			}
		}
		if s.Err != nil {
			return ""
		}
		a.services = services
	}
	return a.services[destination]
}

// healthyWorkload tells whether the workload of a uid is healthy; one that
// isn't known is not.
func (s *Subject) healthyWorkload(uid string) bool {
	a := s.ambient()
	if a == nil {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.healthy == nil {
		healthy := map[string]bool{}
		for _, workload := range s.of(s.Owner).objects(string(mesh.Workloads)) {
			healthy[workload.Text("uid")] = workload.Text("status") == "Healthy"
		}
		if s.Err != nil {
			return false
		}
		a.healthy = healthy
	}
	return a.healthy[uid]
}
