package mesh

import (
	"context"
	"strings"
	"sync"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// Known is a [Lazy] object of which some members are known before it is forced.
type Known interface {
	Lazy
	// Member returns a member, null where there is none. ok is false if it is not
	// known before the object is forced. The result is always the same.
	Member(key string) (v any, ok bool)

	// IsObject reports whether it is known to be an object; otherwise it may be null.
	IsObject() bool
}

// Asked names what was requested of an object: for each member nil, if all of
// it was, else the members of that.
type Asked map[string]Asked

// AskedFor returns what the paths in a [Hint]'s Fields request.
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
	case there && inside == nil: // all of it already
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

// Partial is an object of which only some members were requested. Reading any
// other loads the whole object. A requested member that is missing is null: its
// source doesn't write default values.
type Partial struct {
	known *object.Object
	asked Asked
	maybe bool // it may be null: of what would be in it nothing is there
	rest  func(context.Context) (any, error)

	mu     sync.Mutex
	inside map[string]*Partial // its members that are partial, too
	whole  any
	done   bool
}

// NewPartial returns an object whose requested members are in known, which may
// have more. rest loads the whole object; it may be called again if it returned
// an error. Arrays in known are complete.
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

// member returns a member of the whole object.
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

// Force loads the whole object.
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

// Forced returns the whole object if it was loaded.
func (p *Partial) Forced() (any, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.whole, p.done
}

// Pending is false: reading what was requested costs nothing.
func (*Partial) Pending() bool { return false }
