// Package random generates Envoy configurations, and requests and connections that are likely to match them. Everything
// is derived from one seed, so that a result can be reproduced. It covers every kind of matcher that selects a route or
// a filter chain. The package is independent of the plugin, and starts no processes.
package random

import (
	"math/rand/v2"
)

// message is an Envoy message as JSON, with the fields' original names.
type message = map[string]any

// Source is a random source with methods that generate values.
type Source struct{ *rand.Rand }

// New returns the source for a seed.
func New(seed uint64) Source { return Source{rand.New(rand.NewPCG(seed, 0x6d657368))} }

// oneIn returns true with a probability of 1/n.
func (s Source) oneIn(n int) bool { return s.IntN(n) == 0 }

func (s Source) flip() bool { return s.oneIn(2) }

func pick[T any](s Source, from ...T) T { return from[s.IntN(len(from))] }
