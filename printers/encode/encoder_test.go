package encode

import (
	"strings"
	"testing"
)

// TestMoreStopsAtItsLimit checks that More stops at its limit if a value is
// larger.
func TestMoreStopsAtItsLimit(t *testing.T) {
	items := make([]any, 1000)
	for i := range items {
		items[i] = strings.Repeat("x", 20)
	}
	e := Style{Escape: JQEscapes}.Encode(items)
	if err := e.More(t.Context(), 1000); err != nil || e.Done() || len(e.buf) < 1000 || len(e.buf) > 1100 {
		t.Errorf("%d bytes, done: %v, error: %v", len(e.buf), e.Done(), err)
	}
}
