package mesh

import (
	"strings"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// IsAgentGateway reports whether labels are those of the pod of an agentgateway: they
// name one of Istio's classes for it, istio-agentgateway and
// istio-agentgateway-waypoint (Istio's constants.go, 1.31).
func IsAgentGateway(labels *object.Object) bool {
	return strings.HasPrefix(labels.Text("gateway.networking.k8s.io/gateway-class-name"), "istio-agentgateway")
}
