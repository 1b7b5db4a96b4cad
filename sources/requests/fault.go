package requests

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"net/http"
	"slices"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// A recorded fault is one that a client keeps.
type recorded struct {
	fault   *mesh.Fault
	leftOut bool
}

// Faults returns what failed among all requests so far, each fault once: sorted
// by proxy, subject and section. It includes what an evaluator prefetched and
// never needed.
func (c *Client) Faults() []*mesh.Fault { return c.recorded(func(recorded) bool { return true }) }

// LeftOut returns the faults that no caller got as an error, because the rest
// was complete without them: faults of the inventory and of the sources, and of
// one context in a list of several. Every other fault was returned to a caller.
func (c *Client) LeftOut() []*mesh.Fault {
	return c.recorded(func(r recorded) bool { return r.leftOut })
}

func (c *Client) recorded(include func(recorded) bool) []*mesh.Fault {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []*mesh.Fault
	for _, r := range c.faults {
		if include(r) {
			all = append(all, r.fault)
		}
	}
	SortFaults(all)
	return all
}

// SortFaults sorts by proxy, subject, section and text.
func SortFaults(all []*mesh.Fault) {
	slices.SortFunc(all, func(a, b *mesh.Fault) int {
		return cmp.Or(cmp.Compare(a.Proxy, b.Proxy), cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Section, b.Section),
			cmp.Compare(a.Err.Error(), b.Err.Error()))
	})
}

// RecordLeftOut keeps a fault that no caller gets as an error.
func (c *Client) RecordLeftOut(f *mesh.Fault) { c.record(f, true) }

// record keeps a fault, once.
func (c *Client) record(f *mesh.Fault, leftOut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := f.Error()
	if old, ok := c.faults[key]; ok {
		f, leftOut = old.fault, leftOut || old.leftOut
	}
	c.faults[key] = recorded{f, leftOut}
}

// Fail records a fault and returns it as the caller's error. When f.Err is only
// the end of ctx, Fail returns that and records nothing.
func (c *Client) Fail(ctx context.Context, f *mesh.Fault) error {
	if IsEnd(ctx, f.Err) {
		return f.Err
	}
	var inner *mesh.Fault
	if errors.As(f.Err, &inner) && inner.Err != nil { // a fault of a value inside, which doesn't know its section
		f.Err = inner.Err
	}
	c.record(f, false)
	return f
}

// IsEnd reports whether err only says that ctx has ended.
func IsEnd(ctx context.Context, err error) bool {
	return ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded))
}

// LosesData reports whether a fault of a source means that something is missing.
func LosesData(f *mesh.Fault) bool { return !errors.Is(f.Err, fs.ErrNotExist) }

// Named appends the context to a name where the mesh has several clusters:
// "kubernetes of staging".
func (c *Cluster) Named(name string, all []*Cluster) string {
	if len(all) == 1 || c.Context == "" {
		return name
	}
	return name + " of " + c.Context
}

// A StatusError is the error of an answer whose HTTP status is not 200.
type StatusError interface {
	error
	// Status returns the HTTP status and the text of the answer.
	Status() (code int, text string)
}

// IsNotFound reports whether the server answered 404 or the source has no such
// answer.
func IsNotFound(err error) bool {
	var status StatusError
	if !errors.As(err, &status) {
		return errors.Is(err, fs.ErrNotExist)
	}
	code, _ := status.Status()
	return code == http.StatusNotFound
}

// A NoAnswerError is the error of a request that got no answer.
type NoAnswerError struct {
	Request string
	Err     error
}

func (e *NoAnswerError) Error() string { return e.Request + ": " + e.Err.Error() }
func (e *NoAnswerError) Unwrap() error { return e.Err }
