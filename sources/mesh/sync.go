package mesh

// The sync states of a proxy for one type of configuration.
const (
	Synced  = "SYNCED"   // the last thing sent was accepted
	Stale   = "STALE"    // the last thing sent was not answered
	NotSent = "NOT SENT" // subscribed, nothing sent yet
	InError = "ERROR"    // the proxy refused something, and accepted nothing since
	Ignored = "IGNORED"  // not subscribed
	Unknown = "UNKNOWN"  // no Pilot says anything of this proxy
)

// A SyncType is a type of configuration that istiod sends, with the field that
// holds its sync state.
type SyncType struct {
	Key   string   // "cds"
	Doc   string   // what it configures
	URLs  []string // the xDS type; two where two types are one to a reader
	Envoy bool     // Envoy subscribes to it itself, and counts what comes
	Pair  string   // its name in a syncz of before Istio 1.23: cluster_sent, cluster_acked; empty when that has none
}

// SyncTypes returns the types that have a field of their own, in the order of
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
	}
}
