package live

import (
	"fmt"
	"sync"
)

// ways caches how the pods of each namespace can be reached. This depends on
// the user's permissions in the namespace, which are known after the first
// response.
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

// A way describes how the pods of a namespace can be reached: by connections, by
// exec if connections are forbidden, or not at all.
type way struct {
	namespace string

	mu     sync.Mutex
	noDial error // the reason why connections are forbidden; nil if none has been refused yet
	noExec error // the reason why exec is forbidden; nil if it hasn't been refused yet
}

// forbiddenError is the error for a missing permission.
type forbiddenError struct {
	text string
	err  error // the error that the API server returned
}

func (e *forbiddenError) Error() string { return e.text }
func (e *forbiddenError) Unwrap() error { return e.err }

// dialForbidden returns an error if it is already known that connections are
// forbidden. It doesn't wait for the result of the first connection, because that
// connection may be to a pod on a dead node. So several connections may be
// refused at first, which is cheap.
func (w *way) dialForbidden() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.noDial
}

// refuseDial records that connections are forbidden.
func (w *way) refuseDial(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.noDial = err
}

// execForbidden returns an error if it is already known that exec is forbidden,
// too.
func (w *way) execForbidden() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.noExec
}

// refuseExec records that exec is forbidden, too. It returns the error for a pod
// that can't be reached in any way.
func (w *way) refuseExec(err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.noExec == nil {
		w.noExec = &forbiddenError{fmt.Sprintf("forbidden in namespace %s: pods/portforward create, and pods/exec create; one of them is needed", w.namespace), err}
	}
	return w.noExec
}

// onlyDial returns the error for a process that can be reached only by
// connections, if these are forbidden.
func (w *way) onlyDial(what string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return &forbiddenError{fmt.Sprintf("%s can't be asked by exec: pods/portforward create is needed in namespace %s", what, w.namespace), w.noDial}
}
