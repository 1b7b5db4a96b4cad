package mesh

import (
	"context"
	"slices"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// A Section is a part of a proxy that costs a request of its own. Its value is the
// name of the field that contains it.
type Section string

// These are the sections of an Envoy proxy, followed by those of a ztunnel.
const (
	Clusters   Section = "clusters"
	Listeners  Section = "listeners"
	Routes     Section = "routes"
	Endpoints  Section = "endpoints"
	Secrets    Section = "secrets"
	Extensions Section = "extensions"
	Bootstrap  Section = "bootstrap"
	Server     Section = "server"
	Stats      Section = "stats"
	Loggers    Section = "loggers"
	Updates    Section = "updates"

	Workloads   Section = "workloads"
	Services    Section = "services"
	Policies    Section = "policies"
	Connections Section = "connections"
)

// A Hint describes which elements and fields of a section a query reads. A source
// may use it to request less. The answer may always contain more.
type Hint struct {
	// By is the field to which Names and Patterns refer. In every element its
	// value is a string or null. If By is empty, it is the section's key.
	By string

	// Names are values of the field By: the query needs the elements with one of
	// these values. If Names and Patterns are empty, it needs all elements.
	Names []string

	// Patterns are regular expressions in the syntax of Go's regexp (RE2). The
	// query also needs each element whose field By matches one of them completely,
	// or is null.
	Patterns []string

	Fields []string // the paths of the fields that the query reads; nil means all fields

	// Few reports that only a few elements will be requested, by their names, and
	// each with all its fields.
	Few bool
}

// A Part describes a section: its contents, and the proxies that have it.
type Part struct {
	Name    Section
	Doc     string
	Of      string  // the kind of the section's elements; empty if the section is a single object
	Holds   Holding // describes the section if it is a single object
	Envoy   bool
	ZTunnel bool
	Running bool // true if only a running ztunnel has the section, and snapshots never contain it
	Desired bool // true if istiod can report the section that it would send
}

// Sections returns all sections, in the order of the document.
func Sections() []Part {
	return []Part{
		{Name: Clusters, Doc: "its clusters, the destinations of its requests", Of: "Cluster", Envoy: true, Desired: true},
		{Name: Listeners, Doc: "its listeners, which accept connections", Of: "Listener", Envoy: true, Desired: true},
		{Name: Routes, Doc: "its route configurations", Of: "RouteConfiguration", Envoy: true, Desired: true},
		{Name: Endpoints, Doc: "the addresses of its clusters", Of: "Endpoint", Envoy: true, Desired: true},
		{Name: Secrets, Doc: "its certificates, never their keys", Of: "Secret", Envoy: true, ZTunnel: true, Desired: true},
		{Name: Extensions, Doc: "extensions that istiod sends separately, by ECDS", Of: "ExtensionConfig", Envoy: true, Desired: true},
		{Name: Bootstrap, Doc: "the configuration that it started with", Holds: objectOf("envoy.config.bootstrap.v3.Bootstrap"), Envoy: true},
		{Name: Server, Doc: "the process: version, state, command line", Holds: objectOf("envoy.admin.v3.ServerInfo"), Envoy: true},
		{Name: Stats, Doc: "its counters and gauges", Holds: objectOf("Stats"), Envoy: true},
		{Name: Loggers, Doc: "its loggers and their levels; of a ztunnel, while it runs, the levels of its scopes", Holds: scalars(), Envoy: true, ZTunnel: true, Running: true},
		{Name: Updates, Doc: "which updates it accepted and rejected, by its own counters", Holds: objectOf("Updates"), Envoy: true},
		{Name: Workloads, Doc: "the workloads that it knows", Of: "Workload", ZTunnel: true},
		{Name: Services, Doc: "the services that it knows", Of: "WorkloadService", ZTunnel: true},
		{Name: Policies, Doc: "the authorization policies that it has", Of: "Policy", ZTunnel: true},
		{Name: Connections, Doc: "its open connections", Of: "Connection", ZTunnel: true},
	}
}

// field returns the field of a proxy that contains the section.
func (p Part) field() Field {
	return Field{Name: string(p.Name), Doc: p.Doc, Cost: OnDemand, Of: p.Of, Holds: p.Holds}
}

// These are the types of the proxies that aren't Envoys. An agentgateway is known by
// its connection to istiod alone: it has no admin port of Envoy, so that none of the
// sections can be read.
const (
	ZTunnel      = "ztunnel"
	AgentGateway = "agentgateway"
)

// has reports whether proxies of the given type have the section.
func (p Part) has(proxyType string) bool {
	if proxyType == ZTunnel {
		return p.ZTunnel
	}
	return p.Envoy
}

// SectionsOf returns the sections that proxies of the given type have.
func SectionsOf(proxyType string) []Part {
	var parts []Part
	for _, p := range Sections() {
		if p.has(proxyType) {
			parts = append(parts, p)
		}
	}
	return parts
}

// RecordedSectionsOf returns the sections that snapshots and dumps of proxies of
// the given type contain.
func RecordedSectionsOf(proxyType string) []Part {
	return slices.DeleteFunc(SectionsOf(proxyType), func(p Part) bool { return proxyType == ZTunnel && p.Running })
}

// An absent is the value of a section that this type of proxy doesn't have (a
// ztunnel has no clusters), and of everything inside such a section. The value is
// null, but iterating over it yields nothing and causes no error, because a query
// over all proxies must not end at the first proxy of another type.
type absent struct{}

func (absent) Force(context.Context) (any, error) { return nil, nil }
func (absent) Forced() (any, bool)                { return nil, true }
func (absent) Pending() bool                      { return false }

// IsAbsent reports whether v is the value of a section that the proxy's type
// doesn't have.
func IsAbsent(v any) bool {
	_, is := v.(absent)
	return is
}

// Missing returns the value of a member that an object doesn't have. fields are
// the object's fields. The value is null. If the member is a section that the
// proxy's type doesn't have, [IsAbsent] is true for it.
func Missing(fields *object.Object, key string) any {
	if fields.Get("kind") != "Proxy" {
		return nil
	}
	kind, _ := fields.Get("type").(string) // the type is null if Istio did not start the Envoy
	for _, p := range Sections() {
		// only running ztunnels have this section, so dumps may lack it
		if string(p.Name) == key && (!p.has(kind) || kind == ZTunnel && p.Running) {
			return absent{}
		}
	}
	return nil
}
