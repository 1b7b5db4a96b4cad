package mesh

// Sectional marks a [Lazy] that is a section: it hangs in the document in
// place of something that has to be asked for, whether or not it was by now.
type Sectional interface {
	Lazy
	Sectional()
}
