// Package istiod reads what istiod's debug endpoints say: who is connected to
// it and how each stands to what it was sent (syncz, connections, adsz), and
// what istiod itself sees and thinks (configz, registryz, …).
//
// It knows the forms of those answers in all versions of Istio, and the rule
// by which "sent" and "acked" become a word. It knows neither pods nor Envoys,
// and not where an answer came from.
package istiod

import "github.com/meshq/kubectl-meshq/sources/mesh"

// Endpoints tells what to ask istiod for to have a lazy field of a Pilot: the
// endpoints to try, in order.
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

// Fields are the fields of a Pilot that [Read] reads, in order.
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
