// Package ledger defines the counts that a fleet reports and the CPU time and memory that a process used. It imports
// nothing else, so that programs that only measure stay small: on Linux a child process's peak memory is reported as at
// least that of the process that started it.
package ledger

// Asked counts the requests to one server, or to all Envoys together.
type Asked struct {
	Name     string         `json:"name"`
	Requests int64          `json:"requests"`
	Bytes    int64          `json:"bytes"`
	Paths    map[string]int `json:"paths"`
}

// Count holds all counts of a fleet.
type Count struct {
	API     Asked   `json:"api"`
	Istiods []Asked `json:"istiods"`
	Envoys  Asked   `json:"envoys"`

	// Proxies is the number of Envoys that received a request. Overlaps is the number of requests that an Envoy
	// received while it was answering another one.
	Proxies  int   `json:"proxies"`
	Overlaps int64 `json:"overlaps"`
	// Refusals is the number of requests that the API server answered with 429.
	Refusals int64 `json:"refusals"`

	// Sessions is the number of upgraded connections to pods; MostSessions is the most that were open at once.
	Sessions     int `json:"sessions"`
	MostSessions int `json:"mostSessions"`

	// LastAnswer is the time at which the last answer was sent, in nanoseconds since 1970.
	LastAnswer int64 `json:"lastAnswer"`

	Spent Spent `json:"spent"` // by the fleet's own process, since it started
}
