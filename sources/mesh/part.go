package mesh

// A Part is the row of a section: what is in it, and which proxies have it.
type Part struct {
	Name    Section
	Doc     string
	Of      string  // the kind of its elements; empty for a section that is one object
	Holds   Holding // what stands in a section that is one object
	Envoy   bool
	ZTunnel bool
	Desired bool // istiod can say what it would send of it
}

// Sections are all sections, in the order of the document.
func Sections() []Part {
	return []Part{
		{Name: Clusters, Doc: "where it sends requests to", Of: "Cluster", Envoy: true, Desired: true},
		{Name: Listeners, Doc: "where it takes connections", Of: "Listener", Envoy: true, Desired: true},
		{Name: Routes, Doc: "which request goes where", Of: "RouteConfiguration", Envoy: true, Desired: true},
		{Name: Endpoints, Doc: "the addresses of its clusters", Of: "Endpoint", Envoy: true, Desired: true},
		{Name: Secrets, Doc: "its certificates, never their keys", Of: "Secret", Envoy: true, ZTunnel: true, Desired: true},
		{Name: Extensions, Doc: "extensions that Pilot sends on their own", Of: "ExtensionConfig", Envoy: true, Desired: true},
		{Name: Bootstrap, Doc: "what it started with", Holds: objectOf("envoy.config.bootstrap.v3.Bootstrap"), Envoy: true},
		{Name: Server, Doc: "the process: version, state, command line", Holds: objectOf("envoy.admin.v3.ServerInfo"), Envoy: true},
		{Name: Stats, Doc: "its counters and gauges", Holds: objectOf("Stats"), Envoy: true},
		{Name: Loggers, Doc: "its loggers and their levels", Holds: scalars(), Envoy: true},
		{Name: Updates, Doc: "what it took and refused of what it was sent, in its own words", Holds: objectOf("Updates"), Envoy: true},
		{Name: Workloads, Doc: "the workloads it knows", Of: "Workload", ZTunnel: true},
		{Name: Services, Doc: "the services it knows", Of: "WorkloadService", ZTunnel: true},
		{Name: Policies, Doc: "the authorization policies it holds", Of: "Policy", ZTunnel: true},
		{Name: Connections, Doc: "the connections open in it", Of: "Connection", ZTunnel: true},
	}
}

// field returns the field that holds the section.
func (p Part) field() Field {
	return Field{Name: string(p.Name), Doc: p.Doc, Cost: OnDemand, Of: p.Of, Holds: p.Holds}
}

// ZTunnel is the type of a proxy that is no Envoy; every other type is one.
const ZTunnel = "ztunnel"

// has reports whether proxies of a type have the section.
func (p Part) has(proxyType string) bool {
	if proxyType == ZTunnel {
		return p.ZTunnel
	}
	return p.Envoy
}

// SectionsOf returns the sections of a proxy of a type.
func SectionsOf(proxyType string) []Part {
	var parts []Part
	for _, p := range Sections() {
		if p.has(proxyType) {
			parts = append(parts, p)
		}
	}
	return parts
}
