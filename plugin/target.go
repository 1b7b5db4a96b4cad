package plugin

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/meshq/kubectl-meshq/printers/safe"
)

// A target is the file that a command writes: whole, or not at all. Until it
// is committed, its bytes are in a file beside it.
type target struct {
	path    string // empty: standard output
	scratch *scratch
	force   bool
	file    *os.File // beside path; nil for standard output, and at the end
	out     *bufio.Writer
	written int64
}

// openTarget makes sure that the file can be written, before anybody is asked
// for what is to be in it.
func (r *run) openTarget(path string, force bool) (*target, error) {
	if path == "-" {
		if r.OutTerminal {
			return nil, usage(`"-": an archive is nothing for a terminal; name a file, or write it to a pipe`)
		}
		r.pass(safe.Allowed{All: true})
		return &target{out: r.out}, nil
	}
	if end := filepath.Ext(path); end == ".gz" || end == ".tgz" || end == ".zip" || end == ".json" || end == ".tar" {
		return nil, usage("%s: what is written is a .tar.zst", path)
	}
	t := &target{path: path, force: force, scratch: r.scratch}
	if err := t.free(); err != nil {
		return nil, err
	}
	f, err := r.scratch.file(filepath.Dir(path), filepath.Base(path)+".tmp-*")
	if err != nil {
		return nil, usage("%s: %s", path, fact(err))
	}
	t.file, t.out = f, bufio.NewWriterSize(f, 256<<10)
	return t, nil
}

// free tells whether the file may be written.
func (t *target) free() error {
	info, err := os.Lstat(t.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return usage("%s: %s", t.path, fact(err))
	case info.IsDir():
		return usage("%s: a folder; a snapshot is a file", t.path)
	case !info.Mode().IsRegular():
		return usage("%s: no regular file; \"-\" is standard output", t.path)
	case !t.force:
		return usage("%s: there is one; --force replaces it", t.path)
	}
	return nil
}

// name is what people call it.
func (t *target) name() string {
	if t.path == "" {
		return "standard output"
	}
	return t.path
}

// Write writes to it.
func (t *target) Write(b []byte) (int, error) {
	n, err := t.out.Write(b)
	t.written += int64(n)
	return n, t.failed(err)
}

func (t *target) failed(err error) error {
	var said *writeError
	if err == nil || errors.As(err, &said) {
		return err
	}
	return fmt.Errorf("%s: %s", t.name(), fact(err))
}

// commit puts the file where it was to be. After it the file stays.
func (t *target) commit(ctx context.Context) error {
	if err := t.out.Flush(); err != nil || t.file == nil {
		return t.failed(err)
	}
	if err := t.file.Sync(); err != nil {
		return t.failed(err)
	}
	if err := context.Cause(ctx); err != nil { // the last moment to give it up
		return err
	}
	if err := t.free(); err != nil { // somebody else may have made one
		return err
	}
	if err := t.file.Close(); err != nil {
		return t.failed(err)
	}
	if err := os.Rename(t.file.Name(), t.path); err != nil {
		return t.failed(err)
	}
	t.scratch.forget(t.file.Name())
	t.file = nil
	return nil
}

// abandon leaves nothing behind of a file that was not committed.
func (t *target) abandon() error {
	if t.file == nil {
		return nil
	}
	t.file.Close() // again, perhaps
	err := os.Remove(t.file.Name())
	t.scratch.forget(t.file.Name())
	t.file = nil
	return t.failed(err)
}
