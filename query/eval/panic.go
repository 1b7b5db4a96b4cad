package eval

import (
	"fmt"
	stacks "runtime/debug" // debug is a builtin here
)

// panicked is a panic in a goroutine that ran ahead, on its way to the one that
// called Run: it goes on there, once everything is stopped, where a caller can
// still do something about it.
type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string { return fmt.Sprintf("%v\n\n%s", p.value, p.stack) }

func guarded(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &panicked{r, stacks.Stack()}
		}
	}()
	return f()
}
