package live

import (
	"fmt"
	"sync"
)

// ways caches how the pods of each namespace can be reached. That depends on the
// user's rights in the namespace, which the first answer shows.
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

// A way says how the pods of a namespace can be reached: by connections, by exec if
// connections are forbidden, or not at all.
type way struct {
	namespace string

	mu     sync.Mutex
	noDial error // why connections are forbidden; nil if they may be allowed
	noExec error // why exec is forbidden; nil if it may be allowed
}

// forbiddenError is the error of a missing right.
type forbiddenError struct {
	text string
	err  error // the API server's error
}

func (e *forbiddenError) Error() string { return e.text }
func (e *forbiddenError) Unwrap() error { return e.err }

// dialForbidden returns the error for a connection if connections are known to be
// forbidden. It doesn't wait for the first connection to find out, because that one
// may be to a pod on a dead node. So several connections may be refused first, which
// is cheap.
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

// execForbidden returns the error for exec if exec is known to be forbidden, too.
func (w *way) execForbidden() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.noExec
}

// refuseExec records that exec is forbidden, too, and returns the error for pods
// that can't be reached at all.
func (w *way) refuseExec(err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.noExec == nil {
		w.noExec = &forbiddenError{fmt.Sprintf("forbidden in namespace %s: pods/portforward create, and pods/exec create; one of them is needed", w.namespace), err}
	}
	return w.noExec
}

// onlyDial returns the error for a process that only a connection can reach, while
// connections are forbidden.
func (w *way) onlyDial(what string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return &forbiddenError{fmt.Sprintf("%s can't be asked by exec: pods/portforward create is needed in namespace %s", what, w.namespace), w.noDial}
}
