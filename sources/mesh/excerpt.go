package mesh

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// A ChangedError says that a section has changed between the request for some of
// its fields and the request for all of them: the two answers are of different
// moments, and are never mixed.
type ChangedError struct{ Name string }

func (e *ChangedError) Error() string {
	return fmt.Sprintf("%s has changed since it was first asked about", cmp.Or(e.Name, "what is in it"))
}

// An Excerpt is a section of which only some fields were asked for.
type Excerpt struct {
	Proxy   string // the id of the proxy, and
	Section Section
	Kind    string // of its elements
	Owner   *Object
	Asked   Asked
	Known   []*object.Object // the elements, as they go by their names; without names, in their order

	// Whole gives the section with all fields. It is called for each element
	// whose rest is looked at: one load is enough.
	Whole func(ctx context.Context) (elements []any, err error)

	mu    sync.Mutex
	fits  []any       // the whole that Known is of
	place map[nth]int // of each element, in it
}

// Objects gives the elements. The rest of one is that of the whole section's
// element of the same name, the first's of the first and so on: names may
// repeat, and the order of two answers may differ. Where the whole has other
// elements, or says something else of what was asked for, no element has a
// rest.
func (x *Excerpt) Objects() []any {
	out := make([]any, len(x.Known))
	names := nths{}
	for i, known := range x.Known {
		at := names.next(x.name(known))
		p := NewPartial(known, x.Asked, func(ctx context.Context) (any, error) { return x.find(ctx, at) })
		out[i] = &Object{Kind: x.Kind, Owner: x.Owner, part: p}
	}
	return out
}

// An nth is an element by its name, which others may have too.
type nth struct {
	name string // empty where it isn't known
	n    int
}

// nths counts names.
type nths map[string]int

func (times nths) next(name any) nth {
	text, _ := name.(string)
	n := times[text]
	times[text]++
	return nth{text, n}
}

// named tells whether elements go by their names: else by their places alone.
func (x *Excerpt) named() bool {
	_, asked := x.Asked["name"]
	return asked
}

func (x *Excerpt) name(known *object.Object) any {
	if x.named() {
		return known.Get("name")
	}
	return nil
}

// find gives an element of the whole.
func (x *Excerpt) find(ctx context.Context, at nth) (any, error) {
	elements, err := x.Whole(ctx)
	if err != nil {
		return nil, err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(elements) > 0 && len(x.fits) == len(elements) && &elements[0] == &x.fits[0] {
		return elements[x.place[at]], nil
	}
	place, err := x.compare(ctx, elements)
	if err != nil {
		return nil, err
	}
	i, ok := place[at]
	if !ok {
		return nil, &Fault{Proxy: x.Proxy, Section: string(x.Section), Err: &ChangedError{at.name}}
	}
	x.fits, x.place = elements, place
	return elements[i], nil
}

// compare gives the places of the elements in a whole; none where that is of
// another moment.
func (x *Excerpt) compare(ctx context.Context, whole []any) (map[nth]int, error) {
	if len(whole) != len(x.Known) {
		return nil, nil
	}
	place, names := map[nth]int{}, nths{}
	for i, e := range whole {
		name, err := Get(ctx, e, "name")
		if err != nil {
			return nil, err
		}
		if !x.named() {
			name = nil
		}
		place[names.next(name)] = i
	}
	names = nths{}
	for _, known := range x.Known {
		i, ok := place[names.next(x.name(known))]
		if !ok {
			return nil, nil
		}
		if same, err := agree(ctx, known, whole[i], x.Asked); err != nil || !same {
			return nil, err
		}
	}
	return place, nil
}

// agree tells whether two values are the same in what was asked for; nil asks
// for all.
func agree(ctx context.Context, a, b any, asked Asked) (bool, error) {
	if asked == nil {
		a, err := Deep(ctx, a)
		if err != nil {
			return false, err
		}
		b, err := Deep(ctx, b)
		return err == nil && object.Equal(a, b), err
	}
	for _, key := range slices.Sorted(maps.Keys(asked)) {
		v, err := Get(ctx, a, key)
		if err != nil {
			return false, err
		}
		w, err := Get(ctx, b, key)
		if err != nil {
			return false, err
		}
		if same, err := agree(ctx, v, w, asked[key]); err != nil || !same {
			return false, err
		}
	}
	return true, nil
}
