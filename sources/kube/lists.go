// Package kube reads answers of the API server: the lists that become part of the
// document unchanged, and the pods in which proxies run.
//
// The package defines which Kubernetes resources the document has, and how to
// recognize the pod of a proxy. It does not depend on where a list came from, nor
// on which proxies are connected.
package kube

import "strings"

// A List is a Kubernetes resource whose objects are an array in the mesh.
type List struct {
	Field string // the field of the mesh that contains the objects, for example "virtualServices"
	// the resource as kubectl accepts it (plural.group), for example
	// "virtualservices.networking.istio.io"
	Resource string
	Also     string // another name of the file in snapshots; may be empty
	Kind     string
	Doc      string
}

// Type returns the kind and the API group of the objects, for example
// "Gateway.networking.istio.io". The group of Kubernetes' core kinds is empty, so
// for these the result ends with a dot.
func (l List) Type() string {
	_, group, _ := strings.Cut(l.Resource, ".")
	return l.Kind + "." + group
}

// Lists returns all lists, in the order of the document.
func Lists() []List {
	const (
		networking = ".networking.istio.io"
		security   = ".security.istio.io"
		gateway    = ".gateway.networking.k8s.io"
	)
	return []List{
		{"services", "services", "", "Service", "Kubernetes services"},
		{"endpointSlices", "endpointslices.discovery.k8s.io", "endpointslices", "EndpointSlice", "the addresses behind the services"},
		{"pods", "pods", "", "Pod", "all pods"},
		{"nodes", "nodes", "", "Node", "the machines"},
		{"namespaces", "namespaces", "", "Namespace", "the namespaces"},
		{"networkPolicies", "networkpolicies.networking.k8s.io", "", "NetworkPolicy", "which connections of pods the network lets through"},
		{"virtualServices", "virtualservices" + networking, "", "VirtualService", "which request goes where"},
		{"destinationRules", "destinationrules" + networking, "", "DestinationRule", "subsets, load balancing and TLS towards a service"},
		{"gateways", "gateways" + networking, "", "Gateway", "what Istio's gateways take"},
		{"serviceEntries", "serviceentries" + networking, "", "ServiceEntry", "services outside of the mesh"},
		{"sidecars", "sidecars" + networking, "", "Sidecar", "what a workload's proxy gets to see"},
		{"envoyFilters", "envoyfilters" + networking, "", "EnvoyFilter", "patches of Envoy's configuration"},
		{"workloadEntries", "workloadentries" + networking, "", "WorkloadEntry", "workloads outside of Kubernetes"},
		{"workloadGroups", "workloadgroups" + networking, "", "WorkloadGroup", "what such workloads have in common"},
		{"proxyConfigs", "proxyconfigs" + networking, "", "ProxyConfig", "settings of proxies"},
		{"authorizationPolicies", "authorizationpolicies" + security, "", "AuthorizationPolicy", "who may call what"},
		{"peerAuthentications", "peerauthentications" + security, "", "PeerAuthentication", "where mutual TLS is demanded"},
		{"requestAuthentications", "requestauthentications" + security, "", "RequestAuthentication", "which tokens are taken"},
		{"telemetries", "telemetries.telemetry.istio.io", "", "Telemetry", "metrics, logs and traces"},
		{"wasmPlugins", "wasmplugins.extensions.istio.io", "", "WasmPlugin", "WebAssembly extensions"},
		{"kubeGateways", "gateways" + gateway, "", "Gateway", "Gateway API: gateways and waypoints"},
		{"gatewayClasses", "gatewayclasses" + gateway, "", "GatewayClass", "Gateway API: who makes gateways"},
		{"httpRoutes", "httproutes" + gateway, "", "HTTPRoute", "Gateway API: routes of HTTP"},
		{"grpcRoutes", "grpcroutes" + gateway, "", "GRPCRoute", "Gateway API: routes of gRPC"},
		{"tcpRoutes", "tcproutes" + gateway, "", "TCPRoute", "Gateway API: routes of TCP"},
		{"tlsRoutes", "tlsroutes" + gateway, "", "TLSRoute", "Gateway API: routes of TLS"},
		{"referenceGrants", "referencegrants" + gateway, "", "ReferenceGrant", "Gateway API: references between namespaces"},
		{"backendTLSPolicies", "backendtlspolicies" + gateway, "", "BackendTLSPolicy", "Gateway API: TLS towards a service"},
	}
}
