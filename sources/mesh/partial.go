package mesh

import (
	"context"
	"strings"
	"sync"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// A Known is a [Lazy] object some of whose members are known before it is forced.
type Known interface {
	Lazy
	// Member returns a member, or null if the object has no such member. ok is false
	// if the member's value isn't known before the object is forced. Repeated calls
	// return the same result.
	Member(key string) (v any, ok bool)

	// IsObject reports whether the value is certainly an object. Otherwise it may
	// be null.
	IsObject() bool
}

// An Asked is the set of an object's members that were requested. It maps a member to
// nil if the whole member was requested, or else to the requested members inside it.
type Asked map[string]Asked

// AskedFor returns the Asked for the paths in the field Fields of a [Hint].
func AskedFor(paths []string) Asked {
	all := Asked{}
	for _, path := range paths {
		all.add(strings.Split(path, "."))
	}
	return all
}

func (a Asked) add(path []string) {
	inside, there := a[path[0]]
	switch {
	case there && inside == nil: // the whole member was already requested
	case len(path) == 1:
		a[path[0]] = nil
	default:
		if inside == nil {
			inside = Asked{}
			a[path[0]] = inside
		}
		inside.add(path[1:])
	}
}

// A Partial is an object from which only some members were requested. Reading any
// other member loads the whole object. A requested member that is missing is null,
// because its source omits default values.
type Partial struct {
	known *object.Object
	asked Asked
	maybe bool // true if the object may be null, because none of its requested members exists
	rest  func(context.Context) (any, error)

	mu     sync.Mutex
	inside map[string]*Partial // the members that are partial objects themselves
	whole  any
	done   bool
}

// NewPartial returns an object with the requested members in known, which may also
// contain others. rest loads the whole object; it may be called again if it returned
// an error. Arrays in known must be complete.
func NewPartial(known *object.Object, asked Asked, rest func(context.Context) (any, error)) *Partial {
	return &Partial{known: known, asked: asked, rest: rest, inside: map[string]*Partial{}}
}

// Member implements [Known].
func (p *Partial) Member(key string) (v any, ok bool) {
	inside, ok := p.asked[key]
	if !ok {
		return nil, false
	}
	v = p.known.Get(key)
	if inside == nil {
		return v, true
	}
	some, isObject := v.(*object.Object)
	if v != nil && !isObject {
		return nil, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if m := p.inside[key]; m != nil {
		return m, true
	}
	m := NewPartial(some, inside, func(ctx context.Context) (any, error) { return p.member(ctx, key) })
	m.maybe = !isObject
	p.inside[key] = m
	return m, true
}

// member loads the whole object and returns one of its members.
func (p *Partial) member(ctx context.Context, key string) (any, error) {
	v, err := p.Force(ctx)
	if err != nil {
		return nil, err
	}
	m, _ := v.(*object.Object)
	return Force(ctx, m.Get(key))
}

// IsObject implements [Known].
func (p *Partial) IsObject() bool { return !p.maybe }

// Force loads the whole object and returns it.
func (p *Partial) Force(ctx context.Context) (any, error) {
	p.mu.Lock()
	whole, done := p.whole, p.done
	p.mu.Unlock()
	if done {
		return whole, nil
	}
	v, err := p.rest(ctx)
	if err == nil {
		v, err = Force(ctx, v)
	}
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.done {
		p.whole, p.done = v, true
	}
	return p.whole, nil
}

// Forced returns the whole object if it has been loaded.
func (p *Partial) Forced() (any, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.whole, p.done
}

// Pending returns false, because reading the requested members costs nothing.
func (*Partial) Pending() bool { return false }
