package live

import (
	"context"
	"fmt"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// ways are how the pods of each namespace may be reached. That is a matter of
// rights, which are a namespace's, and found out by the first request.
type ways struct {
	mu sync.Mutex
	of map[string]*way
}

func (w *ways) to(namespace string) *way {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.of == nil {
		w.of = map[string]*way{}
	}
	if w.of[namespace] == nil {
		w.of[namespace] = &way{namespace: namespace}
	}
	return w.of[namespace]
}

// A way is how the pods of a namespace may be reached: by connections, by exec
// where these are forbidden, or not at all.
type way struct {
	namespace string

	mu       sync.Mutex
	learning chan struct{} // closed when who found out is done; nil: nobody is finding out
	open     bool          // a connection was not forbidden
	noDial   error         // why connections are
	noExec   error         // why exec is
}

// forbiddenError is the error of a right that is missing.
type forbiddenError struct {
	text string
	err  error // the API server's
}

func (e *forbiddenError) Error() string { return e.text }
func (e *forbiddenError) Unwrap() error { return e.err }

// enter gives the error of a connection, where that is known to be forbidden.
// The first to come may try (tell must be called with what came of it); the
// others wait for him, so that a right that is missing is found out once, not
// once for each pod.
func (w *way) enter(ctx context.Context) (tell func(error), err error) {
	for {
		w.mu.Lock()
		switch {
		case w.noDial != nil:
			w.mu.Unlock()
			return nil, w.noDial
		case w.open:
			w.mu.Unlock()
			return w.told, nil
		case w.learning == nil:
			learning := make(chan struct{})
			w.learning = learning
			w.mu.Unlock()
			return func(err error) {
				if ctx.Err() == nil { // else nothing was found out
					w.told(err)
				}
				w.mu.Lock()
				defer w.mu.Unlock()
				w.learning = nil
				close(learning)
			}, nil
		}
		learning := w.learning
		w.mu.Unlock()
		select {
		case <-learning:
		case <-ctx.Done():
			return nil, ended(ctx)
		}
	}
}

// told takes what came of a connection. Any error but one says that it is
// allowed: rights are looked at first.
func (w *way) told(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if apierrors.IsForbidden(err) {
		w.noDial = err
	} else {
		w.open = true
	}
}

// closed tells whether connections are forbidden.
func (w *way) closed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.noDial != nil
}

// execForbidden gives the error of exec, where that is known to be forbidden
// too.
func (w *way) execForbidden() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.noExec
}

// refuseExec makes the error of pods that can't be reached in any way.
func (w *way) refuseExec(err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.noExec == nil {
		w.noExec = &forbiddenError{fmt.Sprintf("forbidden in namespace %s: pods/portforward create, and pods/exec create; one of them is needed", w.namespace), err}
	}
	return w.noExec
}

// onlyDial makes the error of a pod that has nothing to exec.
func (w *way) onlyDial(what string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return &forbiddenError{fmt.Sprintf("forbidden in namespace %s: pods/portforward create; %s can't be asked by exec", w.namespace, what), w.noDial}
}
