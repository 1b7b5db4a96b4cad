// Package ledger has the words in which a fleet tells what it was asked, and
// what a process has cost. It knows nothing else, so that who only measures
// stays small: what a program is said to have used in memory is never less than
// what the one had that started it.
package ledger

// Asked is what was asked of one speaker, or of all Envoys together.
type Asked struct {
	Name     string         `json:"name"`
	Requests int64          `json:"requests"`
	Bytes    int64          `json:"bytes"`
	Paths    map[string]int `json:"paths"`
}

// Count is what the counters say.
type Count struct {
	API     Asked   `json:"api"`
	Istiods []Asked `json:"istiods"`
	Envoys  Asked   `json:"envoys"`

	// Proxies is how many Envoys were asked anything, and Overlaps how often
	// one was while it was answering already.
	Proxies  int   `json:"proxies"`
	Overlaps int64 `json:"overlaps"`
	// Refusals are the requests that the API server answered with 429.
	Refusals int64 `json:"refusals"`

	// Sessions are the upgraded connections to pods: all, and the most at once.
	Sessions     int `json:"sessions"`
	MostSessions int `json:"mostSessions"`

	// LastAnswer is when the last answer was on its way, in nanoseconds since 1970.
	LastAnswer int64 `json:"lastAnswer"`

	Spent Spent `json:"spent"` // by the fleet itself, since it began
}
