package mesh

// These are the sync states of a proxy for one type of configuration.
const (
	Synced  = "SYNCED"   // the state in which the proxy has accepted the last push
	Stale   = "STALE"    // the state in which the proxy has not answered the last push
	NotSent = "NOT SENT" // the state in which the proxy has subscribed, but nothing was sent yet
	InError = "ERROR"    // the state in which the proxy has refused a push, and accepted none since
	Ignored = "IGNORED"  // the state in which the proxy hasn't subscribed to the type
	Unknown = "UNKNOWN"  // the state if no istiod reports anything about the proxy
)

// A SyncType is a type of configuration that istiod sends, with the field that
// contains its sync state.
type SyncType struct {
	Key   string   // the name of the field, such as "cds"
	Doc   string   // a description of this type of configuration
	URLs  []string // the xDS type URLs; two if the document shows two types as one
	Envoy bool     // true if Envoy itself subscribes to the type, and counts its updates
	// the prefix of the type's fields in a syncz before Istio 1.23: "cluster"
	// for cluster_sent and cluster_acked; empty if that syncz doesn't report
	// the type
	Pair string
}

// SyncTypes returns the types that have their own field, in the order of
// Istio's tables.
func SyncTypes() []SyncType {
	const api = "type.googleapis.com/"
	return []SyncType{
		{"cds", "clusters", []string{api + "envoy.config.cluster.v3.Cluster"}, true, "cluster"},
		{"lds", "listeners", []string{api + "envoy.config.listener.v3.Listener"}, true, "listener"},
		{"eds", "endpoints", []string{api + "envoy.config.endpoint.v3.ClusterLoadAssignment"}, true, "endpoint"},
		{"rds", "routes", []string{api + "envoy.config.route.v3.RouteConfiguration"}, true, "route"},
		{"sds", "secrets", []string{api + "envoy.extensions.transport_sockets.tls.v3.Secret"}, true, ""},
		{"ecds", "extensions", []string{api + "envoy.config.core.v3.TypedExtensionConfig"}, true, "extensionconfig"},
		{"nds", "names for the proxy's DNS", []string{api + "istio.networking.nds.v1.NameTable"}, false, ""},
		{"pcds", "the proxy's own settings", []string{api + "istio.mesh.v1alpha1.ProxyConfig"}, false, ""},
		{"wds", "workloads and services of the ambient mesh", []string{api + "istio.workload.Address", api + "istio.workload.Workload"}, false, ""},
		{"wads", "policies of the ambient mesh", []string{api + "istio.security.Authorization"}, false, ""},
		{"agds", "the resources of an agentgateway", []string{api + "agentgateway.dev.resource.Resource"}, false, ""},
	}
}
