package mesh

// A Holding describes the possible values of a field.
type Holding struct {
	// Objects are the possible shapes of an object: a kind, a name in [Shapes], or
	// the full name of an Envoy message. It is empty if the value is not an
	// object, or if nothing is known about the object.
	Objects []string

	List bool // true if the value is an array; the other fields then describe its elements
	Map  bool // true if the value is a map from arbitrary keys; the other fields then describe its values
	Open bool // true if any value is possible

	// Values are the possible strings. It is nil if any string is possible, or if
	// the value is not a string.
	Values []string
}

// A Member is a field of an object of the document, with its possible values.
type Member struct {
	Name    string
	Doc     string // the description of the field; empty if unknown
	Cost    Cost
	Holding Holding
}

// MembersOf returns the fields that the plugin adds to the objects of a kind, with
// their possible values, in the order of [Kinds].
func (k Kind) MembersOf() []Member {
	all := make([]Member, 0, len(k.Fields))
	for _, f := range k.Fields {
		m := Member{Name: f.Name, Doc: f.Doc, Cost: f.Cost, Holding: f.Holds}
		if f.Of != "" {
			m.Holding = Holding{Objects: []string{f.Of}, List: true}
		}
		all = append(all, m)
	}
	return append(all, ambient()[k.Name]...)
}

func objectOf(name string) Holding  { return Holding{Objects: []string{name}} }
func list(name string) Holding      { return Holding{Objects: []string{name}, List: true} }
func texts() Holding                { return Holding{List: true} }
func scalars() Holding              { return Holding{Map: true} }
func one(values ...string) Holding  { return Holding{Values: values} }
func many(values ...string) Holding { return Holding{Values: values, List: true} }
func anything() Holding             { return Holding{Open: true} }

// SyncWords returns the sync states of a proxy.
func SyncWords() []string { return []string{Synced, Stale, NotSent, InError, Ignored, Unknown} }
