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

// A recorded is an entry in the list of faults that a client keeps.
type recorded struct {
	fault   *mesh.Fault
	leftOut bool // true if no caller got the fault as an error; see LeftOut
}

// Faults returns the faults of all requests so far, each fault once, sorted by
// proxy, subject and section. They include the faults of values that an
// evaluator prefetched but never needed.
func (c *Client) Faults() []*mesh.Fault { return c.recorded(func(recorded) bool { return true }) }

// LeftOut returns the faults that no caller got as an error, because a result
// without the missing data was still usable. These are the faults of the
// inventory and of the sources, and those of one context in a list of several.
// Every other fault was returned to a caller.
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

// SortFaults sorts faults by proxy, subject, section and text.
func SortFaults(all []*mesh.Fault) {
	slices.SortFunc(all, func(a, b *mesh.Fault) int {
		return cmp.Or(cmp.Compare(a.Proxy, b.Proxy), cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Section, b.Section),
			cmp.Compare(a.Err.Error(), b.Err.Error()))
	})
}

// RecordLeftOut records a fault that no caller gets as an error.
func (c *Client) RecordLeftOut(f *mesh.Fault) { c.record(f, true) }

// record keeps a fault unless it is already known.
func (c *Client) record(f *mesh.Fault, leftOut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := f.Error()
	if old, ok := c.faults[key]; ok {
		f, leftOut = old.fault, leftOut || old.leftOut
	}
	c.faults[key] = recorded{f, leftOut}
}

// Fail records a fault and returns it as the caller's error. If f.Err only
// reports that ctx has ended, Fail returns f.Err and records nothing.
func (c *Client) Fail(ctx context.Context, f *mesh.Fault) error {
	if IsEnd(ctx, f.Err) {
		return f.Err
	}
	var inner *mesh.Fault
	// the fault is about a value inside the section, and doesn't name the
	// section
	if errors.As(f.Err, &inner) && inner.Err != nil {
		f.Err = inner.Err
	}
	c.record(f, false)
	return f
}

// IsEnd reports whether err only means that ctx has ended.
func IsEnd(ctx context.Context, err error) bool {
	return ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded))
}

// LosesData reports whether a fault of a source means that data is missing.
func LosesData(f *mesh.Fault) bool { return !errors.Is(f.Err, fs.ErrNotExist) }

// Named appends the cluster's context to a name, as in "kubernetes of staging",
// if the mesh has several clusters.
func (c *Cluster) Named(name string, all []*Cluster) string {
	if len(all) == 1 || c.Context == "" {
		return name
	}
	return name + " of " + c.Context
}

// A StatusError reports an answer whose HTTP status is not 200.
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

// A NoAnswerError reports that a request got no answer.
type NoAnswerError struct {
	Request string
	Err     error
}

func (e *NoAnswerError) Error() string { return e.Request + ": " + e.Err.Error() }
func (e *NoAnswerError) Unwrap() error { return e.Err }
