package mesh

// A Section is a part of a proxy that costs a request of its own, under the
// name of the field it hangs in.
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

// A Hint says what a query wants of a section. A source may use it to ask for
// less, or not; the answer may always hold more than was wanted.
type Hint struct {
	// By is the field that Names and Patterns are about, which holds a string
	// in every element, or null; empty: the one that the section goes by.
	By string

	// Names are strings of which an element wanted has one, unless it is one
	// that Patterns wants. Without either all elements are wanted.
	Names []string

	// Patterns are regular expressions in RE2's syntax, as Go's regexp reads
	// it. An element is wanted, too, when one of them matches the whole of its
	// string, or when it has null there: who asked these, looks at null as well.
	Patterns []string

	Fields []string // the fields wanted of each element, by path; nil: all of them

	// Few says that the elements are going to be asked for by their names: a
	// few of them, each with all its fields.
	Few bool
}
