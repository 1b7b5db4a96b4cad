package live

import (
	"fmt"
	"sync"
)

// ways are how the pods of each namespace may be reached. That is a matter of
// rights, which are a namespace's, and found out by the first answer.
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

	mu     sync.Mutex
	noDial error // why connections are forbidden
	noExec error // why exec is
}

// forbiddenError is the error of a right that is missing.
type forbiddenError struct {
	text string
	err  error // the API server's
}

func (e *forbiddenError) Error() string { return e.text }
func (e *forbiddenError) Unwrap() error { return e.err }

// dialForbidden gives the error of a connection, where that is known to be
// forbidden. It waits for nobody: those who come before the first of them was
// refused are refused each, which costs little; to wait for one would be to
// wait for a pod on a node that is dead.
func (w *way) dialForbidden() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.noDial
}

// refuseDial remembers that connections are forbidden.
func (w *way) refuseDial(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.noDial = err
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

// onlyDial makes the error of what can be reached by a connection only.
func (w *way) onlyDial(what string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return &forbiddenError{fmt.Sprintf("%s can't be asked by exec: pods/portforward create is needed in namespace %s", what, w.namespace), w.noDial}
}
