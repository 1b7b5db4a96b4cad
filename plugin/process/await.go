package process

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// Await calls f and returns its result. If ctx ends first, Await returns the error
// of ctx, while f continues in the background and its result is dropped. Await is
// meant for libraries that read files without a context, because opening a named
// pipe without a writer blocks forever.
func Await[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		v, err := f()
		done <- result{v, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, Exit(ExitRun, ctx.Err())
	}
}

// OpenFile opens a file that the command line names. If ctx has ended, the error is
// that of ctx. Otherwise, the error describes the problem with the file.
func OpenFile(ctx context.Context, path string) (*transport.File, error) {
	f, err := transport.OpenFile(ctx, path)
	if ctx.Err() != nil {
		return nil, Exit(ExitRun, ctx.Err())
	}
	return f, err
}

// errTooLong is the error for a file that exceeds the size limit of ReadWhole.
var errTooLong = errors.New("more than 1 GiB")

// ReadWhole returns the content of a file that the command line names. A file of
// more than 1 GiB is an error.
func ReadWhole(ctx context.Context, path string) ([]byte, error) {
	f, err := OpenFile(ctx, path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, Limits.String+1))
	switch {
	case ctx.Err() != nil:
		return nil, Exit(ExitRun, ctx.Err())
	case err == nil && int64(len(text)) > Limits.String:
		return nil, errTooLong
	}
	return text, err
}

// OpenOption opens the file that an option names. The path "-" means standard
// input.
func (w *World) OpenOption(ctx context.Context, path string) (io.ReadCloser, error) {
	if path == "-" {
		return io.NopCloser(transport.Patient(ctx, w.In)), nil
	}
	f, err := OpenFile(ctx, path)
	if err != nil && ctx.Err() == nil {
		err = Usagef("%s: %s", path, Fact(err))
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

// WithTimeout returns a copy of ctx that ends after the timeout. A timeout of 0 or
// less means no timeout. When the timeout has passed, WithTimeout also notifies
// w.Overdue, so that Main can end a run that doesn't stop when ctx ends.
func (w *World) WithTimeout(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout <= 0 {
		return ctx, func() {}
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	stop := context.AfterFunc(ctx, func() {
		if context.Cause(ctx) != context.DeadlineExceeded || w.Overdue == nil {
			return
		}
		select {
		case w.Overdue <- struct{}{}:
		default: // Main hasn't received an earlier notification yet, and needs only one
		}
	})
	return ctx, func() { stop(); cancel() }
}

var Limits = decode.Limits{Depth: 10_000, String: 1 << 30, Total: 1 << 40}
