package mesh

// A Part describes a section: what is in it, and which proxies have it.
type Part struct {
	Name    Section
	Doc     string
	Of      string // the kind of its elements; empty for a section that is one object
	Envoy   bool
	ZTunnel bool
	Desired bool // Pilot can say what it would send of it
}

// Sections are all sections, in the order of the document.
func Sections() []Part {
	return []Part{
		{Clusters, "where it sends requests to", "Cluster", true, false, true},
		{Listeners, "where it takes connections", "Listener", true, false, true},
		{Routes, "which request goes where", "RouteConfiguration", true, false, true},
		{Endpoints, "the addresses of its clusters", "Endpoint", true, false, true},
		{Secrets, "its certificates, never their keys", "Secret", true, true, true},
		{Extensions, "extensions that Pilot sends on their own", "ExtensionConfig", true, false, true},
		{Bootstrap, "what it started with", "", true, false, false},
		{Server, "the process: version, state, command line", "", true, false, false},
		{Stats, "its counters and gauges", "", true, false, false},
		{Loggers, "its loggers and their levels", "", true, false, false},
		{Updates, "what it took and refused of what it was sent, in its own words", "", true, false, false},
		{Workloads, "the workloads it knows", "Workload", false, true, false},
		{Services, "the services it knows", "WorkloadService", false, true, false},
		{Policies, "the authorization policies it holds", "Policy", false, true, false},
		{Connections, "the connections open in it", "Connection", false, true, false},
	}
}

// ZTunnel is the type of a proxy that is no Envoy; every other type is one.
const ZTunnel = "ztunnel"

// has tells whether proxies of a type have the section.
func (p Part) has(proxyType string) bool {
	if proxyType == ZTunnel {
		return p.ZTunnel
	}
	return p.Envoy
}

// SectionsOf are the sections of a proxy of a type.
func SectionsOf(proxyType string) []Part {
	var parts []Part
	for _, p := range Sections() {
		if p.has(proxyType) {
			parts = append(parts, p)
		}
	}
	return parts
}
