package columns

import (
	"sync"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// A Neighbours caches data of a ztunnel's other objects that the cells of one
// object show. The data is read once per ztunnel.
type Neighbours struct {
	mu sync.Mutex
	of map[*mesh.Object]*ztunnelCache
}

// A ztunnelCache has the services and workloads of one ztunnel.
type ztunnelCache struct {
	mu sync.Mutex
	// the names of services by waypoint destination, which is
	// namespace/hostname or network/ip
	services map[string]string
	healthy  map[string]bool // maps the uid of each workload to whether it is healthy
}

// NewNeighbours returns an empty cache.
func NewNeighbours() *Neighbours { return &Neighbours{of: map[*mesh.Object]*ztunnelCache{}} }

// ztunnelCache returns the cache entry of the subject's proxy, or nil if that
// proxy isn't known.
func (s *Subject) ztunnelCache() *ztunnelCache {
	if s.Neighbours == nil || s.Owner == nil {
		return nil
	}
	s.Neighbours.mu.Lock()
	defer s.Neighbours.mu.Unlock()
	a := s.Neighbours.of[s.Owner]
	if a == nil {
		a = &ztunnelCache{}
		s.Neighbours.of[s.Owner] = a
	}
	return a
}

// serviceAt returns the name of the service that has the given waypoint
// destination, or "" if the ztunnel has no such service.
func (s *Subject) serviceAt(destination string) string {
	a := s.ztunnelCache()
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

// healthyWorkload reports whether the workload with the given uid is healthy.
// It returns false for an unknown workload.
func (s *Subject) healthyWorkload(uid string) bool {
	a := s.ztunnelCache()
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
