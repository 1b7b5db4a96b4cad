package process

import "sync"

// Interrupts lets a part of a run handle an interrupt (Ctrl-C), which otherwise
// ends the process. A nil Interrupts handles none.
type Interrupts struct {
	mu     sync.Mutex
	cancel func()
}

// Take makes Ctrl-C call the function cancel until the returned function is
// called.
func (i *Interrupts) Take(cancel func()) (end func()) {
	if i == nil {
		return func() {}
	}
	i.set(cancel)
	return func() { i.set(nil) }
}

func (i *Interrupts) set(cancel func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.cancel = cancel
}

// Interrupt calls the function that handles interrupts. It reports whether
// there is one.
func (i *Interrupts) Interrupt() bool {
	if i == nil {
		return false
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.cancel == nil {
		return false
	}
	i.cancel()
	return true
}
