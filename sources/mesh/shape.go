package mesh

// A Holding describes the values of a field.
type Holding struct {
	// Objects are the possible shapes of an object: a kind, a name in [Shapes], or
	// the full name of an Envoy message. None: it is no object, or one of which
	// nothing is known.
	Objects []string

	List bool // it is an array of these
	Map  bool // it is an object whose keys are data and whose values are these
	Open bool // it may be anything

	// Values are the possible strings; nil if any string is possible, or none is.
	Values []string
}

// A Member is a field of an object of the document, and the values it has.
type Member struct {
	Name    string
	Doc     string // empty if unknown
	Cost    Cost
	Holding Holding
}

// MembersOf returns the fields that a kind has from us, with what stands in each,
// in the order of [Kinds].
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

// SyncWords are the sync states of a proxy.
func SyncWords() []string { return []string{Synced, Stale, NotSent, InError, Ignored, Unknown} }
