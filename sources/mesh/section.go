package mesh

import (
	"context"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// A Section is a part of a proxy that costs a request of its own. Its value is
// the name of its field.
type Section string

// The sections of an Envoy proxy, then those of a ztunnel.
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

// A Hint says what a query wants of a section. A source may use it to request
// less; the answer may always have more.
type Hint struct {
	// By is the field that Names and Patterns refer to, a string in every element,
	// or null. Empty: the section's key.
	By string

	// Names are values of the field: elements with one of them are wanted. Without
	// Names and Patterns, all elements are wanted.
	Names []string

	// Patterns are regular expressions in RE2's syntax, as Go's regexp reads
	// it. An element is wanted, too, when one of them matches the whole of its
	// string, or when it has null there: who asked these, looks at null as well.
	Patterns []string

	Fields []string // the fields wanted of each element, by path; nil: all of them

	// Few says that a few elements will be requested by their names, each with all
	// its fields.
	Few bool
}

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

// ZTunnel is the type of a proxy that is no Envoy; all other types are Envoys.
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

// absent is the value of a section that a proxy of its type cannot have, as a
// ztunnel cannot have clusters, and of everything inside. It is null, but
// iterating over it yields nothing instead of an error: a query over all
// proxies must not end at the first one of another type.
type absent struct{}

func (absent) Force(context.Context) (any, error) { return nil, nil }
func (absent) Forced() (any, bool)                { return nil, true }
func (absent) Pending() bool                      { return false }

// IsAbsent reports whether v is the value of a section that does not apply.
func IsAbsent(v any) bool {
	_, is := v.(absent)
	return is
}

// Missing returns the value of a member that an object lacks, given the
// object's fields: null, or a value for which [IsAbsent] holds if the member is
// a section that does not apply to the proxy's type.
func Missing(fields *object.Object, key string) any {
	if fields.Get("kind") != "Proxy" {
		return nil
	}
	kind, _ := fields.Get("type").(string) // null: an Envoy that Istio did not start
	for _, p := range Sections() {
		if string(p.Name) == key && !p.has(kind) {
			return absent{}
		}
	}
	return nil
}
