package printers

import (
	"context"
	"slices"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// lookAhead is how many members of a container, from the one that is being
// printed, have what they still have to ask for on its way.
const lookAhead = 8

// loadAhead begins to load what the next members of a container will ask
// for, so that a large value isn't loaded one answer after the other. Each is
// loaded once: the source gives all who wait the same answer. It ends with ctx.
func (f *frame) loadAhead(ctx context.Context) {
	for ; f.ahead < min(f.next+lookAhead, f.len()); f.ahead++ {
		for _, l := range pending(f.member(f.ahead)) {
			go l.Force(ctx)
		}
	}
}

func (f *frame) member(i int) any {
	if f.object {
		return f.fields.Get(f.keys[i])
	}
	return f.items[i]
}

// pending gives what has to be asked for to print v: v itself, or members of
// an object that is there.
func pending(v any) (out []mesh.Lazy) {
	l, lazy := v.(mesh.Lazy)
	if lazy && l.Pending() {
		return []mesh.Lazy{l}
	}
	if lazy {
		v, _ = l.Forced()
	}
	fields, _ := v.(*object.Object)
	var keys []string
	for k, w := range fields.All() {
		if l, ok := w.(mesh.Lazy); ok && l.Pending() {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	for _, k := range keys {
		out = append(out, fields.Get(k).(mesh.Lazy))
	}
	return out
}
