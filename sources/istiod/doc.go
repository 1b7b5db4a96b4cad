// Package istiod reads the answers of istiod's debug endpoints. These contain the
// connected proxies and their sync state (syncz, connections, adsz), and istiod's
// own view of the mesh (configz, registryz, …).
//
// The package reads the forms that these answers have in all versions of Istio. It
// derives a sync state from the last push that was sent and the last one that was
// acknowledged. It doesn't depend on pods, on Envoys, or on where an answer came
// from.
package istiod

import "github.com/meshq/kubectl-meshq/sources/mesh"

// Endpoints returns the istiod endpoints whose answers may contain the value of
// a lazy field of a Pilot, in the order in which to try them.
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

// Fields returns the names of the Pilot fields that [Read] can read, in order.
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
