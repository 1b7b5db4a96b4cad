package plugin

import (
	"context"
	"errors"
	"io"

	"github.com/meshq/kubectl-meshq/sources/transport"
)

// await calls f and gives its result. If ctx ends first, await returns the
// error of ctx; f runs on and its result is dropped. It is for code of other
// modules that reads files without a context: the file may be a named pipe that
// nobody writes to.
func await[T any](ctx context.Context, f func() (T, error)) (T, error) {
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
		return none, &exitError{exitRun, ctx.Err()}
	}
}

// openFile opens a file that the command line names. The end of ctx is the
// error of the run; every other error is what is wrong with the file.
func openFile(ctx context.Context, path string) (*transport.File, error) {
	f, err := transport.OpenFile(ctx, path)
	if ctx.Err() != nil {
		return nil, &exitError{exitRun, ctx.Err()}
	}
	return f, err
}

// errTooLong is the error of a file that is larger than it may be.
var errTooLong = errors.New("more than 1 GiB")

// readWhole reads a file that the command line names, to its end.
func readWhole(ctx context.Context, path string) ([]byte, error) {
	f, err := openFile(ctx, path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limits.String+1))
	switch {
	case ctx.Err() != nil:
		return nil, &exitError{exitRun, ctx.Err()}
	case err == nil && int64(len(text)) > limits.String:
		return nil, errTooLong
	}
	return text, err
}
