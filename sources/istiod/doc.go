// Package istiod reads the answers of istiod's debug endpoints. These contain the
// connected proxies and their sync state (syncz, connections, adsz), and istiod's
// own view of the mesh (configz, registryz, …).
//
// The package knows the forms of these answers in all versions of Istio, and the
// rule that derives a sync state from the last push that was sent and the last one
// acknowledged. It knows nothing about pods or Envoys, nor where an answer came
// from.
package istiod

import "github.com/meshq/kubectl-meshq/sources/mesh"

// Endpoints returns the endpoints of istiod that may contain a lazy field of a
// Pilot, in the order in which to try them.
func Endpoints(field string) []string {
	switch field {
	case "config":
		return []string{"configz"}
	case "registryServices":
		return []string{"registryz"}
	case "pushStatus":
		return []string{"push_status"}
	case "meshConfig":
		return []string{"mesh"}
	case "remoteClusters":
		return []string{"clusterz"}
	case "endpointShards":
		return []string{"endpointShardz", "endpointz"}
	}
	return nil
}

// Fields returns the names of the fields of a Pilot that [Read] reads, in order.
func Fields() []string {
	var fields []string
	pilot, _ := mesh.KindOf("Pilot")
	for _, f := range pilot.Fields {
		if Endpoints(f.Name) != nil {
			fields = append(fields, f.Name)
		}
	}
	return fields
}
