package sources

// Progress is how far a mesh has come with what was asked of it.
type Progress struct {
	// Phase is what is under way: "asking istiods", "listing pods", "listing
	// objects" (of other resources), "asking proxies". Empty before the first
	// question.
	Phase string

	// Done counts the questions of the phase that were answered, well or not,
	// Total those that were asked so far.
	Done, Total int

	// Bytes is the size of all answers so far, whatever their phase.
	Bytes int64
}

// The phases, each after those that it needs.
const (
	askingIstiods = iota
	listingPods
	listingObjects
	askingProxies
)

var phases = [...]string{
	askingIstiods: "asking istiods", listingPods: "listing pods", listingObjects: "listing objects", askingProxies: "asking proxies",
}

// phase tells in which phase a question is asked.
func (q question) phase() int {
	switch {
	case q.of == aProxy:
		return askingProxies
	case q.of == aPilot:
		return askingIstiods
	case q.what == "pods":
		return listingPods
	}
	return listingObjects
}

// Progress tells how far the mesh has come. It is in the phase that still has
// questions open, the last of several; with none open, in the last there was.
func (m *Mesh) Progress() Progress {
	var done, total [len(phases)]int
	var p Progress
	m.mu.Lock()
	for q, a := range m.answers {
		at := q.phase()
		total[at]++
		body, _, ok := a.body.Look()
		if !ok {
			continue
		}
		done[at]++
		if body != nil {
			p.Bytes += body.Size()
		}
	}
	m.mu.Unlock()
	isOpen := false
	for at, phase := range phases {
		opens := done[at] < total[at]
		if opens || !isOpen && total[at] > 0 {
			p.Phase, p.Done, p.Total = phase, done[at], total[at]
		}
		isOpen = isOpen || opens
	}
	return p
}
