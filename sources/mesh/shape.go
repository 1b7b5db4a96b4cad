package mesh

// A Holding is what stands in a field of the document.
type Holding struct {
	// Objects are the names of the shapes that an object there may have: a
	// kind's, one of [Shapes], or the full name of a message of Envoy's. None:
	// it is no object, or one of which nothing is known.
	Objects []string

	List bool // it is an array of such
	Map  bool // it is an object whose keys are data and whose values are such
	Open bool // it may be anything

	// Values are the strings that it may be; nil where any may be, or none.
	Values []string
}

// A Member is a field of an object of the document and what stands in it.
type Member struct {
	Name    string
	Doc     string // empty where its source has said nothing that we know
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

// SyncWords are the words that say how a proxy stands to its Pilot.
func SyncWords() []string { return []string{Synced, Stale, NotSent, InError, Ignored, Unknown} }
