package mesh

import (
	"context"
	"strings"
	"sync"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// Known is a [Lazy] object of which something is known before it is forced.
type Known interface {
	Lazy
	// Member gives a member, null where there is none; ok is false when it is
	// known only to who forces the object. It gives the same whenever it is
	// asked.
	Member(key string) (v any, ok bool)

	// IsObject tells whether it is known to be an object: else it may be null.
	IsObject() bool
}

// Asked is what was asked for of an object: these members, nil for all that is
// in one, else these of its members.
type Asked map[string]Asked

// AskedFor is what the paths of a [Hint]'s Fields ask for.
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

// Partial is an object of which only a part was asked for. Any other look at it
// gets the rest, that is: all of it. What was asked for and isn't there is
// null, for what has its default is not written.
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

// NewPartial gives an object of which known holds what was asked for, and
// perhaps more. Rest gives the whole object; it may be called again when it
// ended with an error. Arrays in known are there with all that is in them.
func NewPartial(known *object.Object, asked Asked, rest func(context.Context) (any, error)) *Partial {
	return &Partial{known: known, asked: asked, rest: rest, inside: map[string]*Partial{}}
}

// Member is that of [Known].
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

// member gives a member of the whole.
func (p *Partial) member(ctx context.Context, key string) (any, error) {
	v, err := p.Force(ctx)
	if err != nil {
		return nil, err
	}
	m, _ := v.(*object.Object)
	return Force(ctx, m.Get(key))
}

// IsObject is that of [Known].
func (p *Partial) IsObject() bool { return !p.maybe }

// Force gives all of it.
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

// Forced gives all of it, if it was asked for before.
func (p *Partial) Forced() (any, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.whole, p.done
}

// Pending is false: it is there for what it was asked for.
func (*Partial) Pending() bool { return false }
