package sources

import (
	"context"
	"fmt"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// A TooManyError ends a run that is about to read more whole proxies from
// their live Envoys than it may.
type TooManyError struct{ Most int }

func (e *TooManyError) Error() string {
	return fmt.Sprintf("more than %d whole proxies would be read from live Envoys: ask for the sections by name (.clusters, .routes, …), "+
		"print less (| outline), or raise --max-fetch", e.Most)
}

// begin takes note that a section of a live proxy is about to be asked for
// whole. A proxy of which all sections are is one that is printed or walked
// whole; with too many of them the run is ended, as Options.TooMany has it.
func (r *row) begin(ctx context.Context, s mesh.Section) error {
	m := r.m
	if m.options.MaxWhole == 0 || !r.alive() {
		return nil
	}
	m.mu.Lock()
	if r.begun == nil {
		r.begun = map[mesh.Section]bool{}
	}
	if !r.begun[s] {
		r.begun[s] = true
		if len(r.begun) == len(mesh.SectionsOf(r.kind())) {
			m.whole++
		}
	}
	over := m.whole > m.options.MaxWhole
	m.mu.Unlock()
	if !over {
		return nil
	}
	m.options.TooMany(&TooManyError{m.options.MaxWhole})
	<-ctx.Done()
	return ctx.Err()
}
