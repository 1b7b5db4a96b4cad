// Package random makes configurations of Envoy, and requests and connections
// that come near to what they match: all of it from one seed, so that what was
// found can be had again. It makes every kind of matcher that decides about a
// route or a filter chain. It knows nothing of the plugin, and starts nothing.
package random

import (
	"math/rand/v2"
)

// message is one of Envoy's messages as JSON, with its fields' own names.
type message = map[string]any

// Source is where choices come from.
type Source struct{ *rand.Rand }

// New gives the source of a seed.
func New(seed uint64) Source { return Source{rand.New(rand.NewPCG(seed, 0x6d657368))} }

// oneIn is true once in n times.
func (s Source) oneIn(n int) bool { return s.IntN(n) == 0 }

func (s Source) flip() bool { return s.oneIn(2) }

func pick[T any](s Source, from ...T) T { return from[s.IntN(len(from))] }
