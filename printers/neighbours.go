package printers

import (
	"sync"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// neighbours are what the cells of one object of a ztunnel have to know of the
// others: read once for each ztunnel, from the same answer as the object.
type neighbours struct {
	mu sync.Mutex
	of map[*mesh.Object]*ambient
}

// An ambient is what a ztunnel knows, by what it is looked up by.
type ambient struct {
	mu       sync.Mutex
	services map[string]string // by waypoint destination, namespace/hostname or network/ip: the name
	healthy  map[string]bool   // by the workload's uid
}

func newNeighbours() *neighbours { return &neighbours{of: map[*mesh.Object]*ambient{}} }

// ambient gives that of the subject's proxy; nil when the subject doesn't know
// whose it is.
func (s *subject) ambient() *ambient {
	if s.near == nil || s.owner == nil {
		return nil
	}
	s.near.mu.Lock()
	defer s.near.mu.Unlock()
	a := s.near.of[s.owner]
	if a == nil {
		a = &ambient{}
		s.near.of[s.owner] = a
	}
	return a
}

// serviceAt gives the name of the service that a destination means, "" if it
// isn't known.
func (s *subject) serviceAt(destination string) string {
	a := s.ambient()
	if a == nil {
		return ""
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.services == nil {
		services := map[string]string{}
		for _, service := range s.of(s.owner).objects(string(mesh.Services)) {
			name := service.text("name")
			services[service.text("namespace")+"/"+service.text("hostname")] = name
			for _, vip := range service.texts("vips") {
				services[vip] = name
			}
		}
		if s.err != nil {
			return ""
		}
		a.services = services
	}
	return a.services[destination]
}

// healthyWorkload tells whether the workload of a uid is healthy; one that
// isn't known is not.
func (s *subject) healthyWorkload(uid string) bool {
	a := s.ambient()
	if a == nil {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.healthy == nil {
		healthy := map[string]bool{}
		for _, workload := range s.of(s.owner).objects(string(mesh.Workloads)) {
			healthy[workload.text("uid")] = workload.text("status") == "Healthy"
		}
		if s.err != nil {
			return false
		}
		a.healthy = healthy
	}
	return a.healthy[uid]
}
