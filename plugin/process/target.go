package process

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

// A Target is the file that a command writes, whole or not at all: until
// Commit, the bytes are in a file next to it.
type Target struct {
	Path    string // empty: standard output
	Scratch *Scratch
	Force   bool
	File    *os.File // beside path; nil for standard output, and at the end
	Out     *bufio.Writer
	Written int64
}

// OpenTarget checks that the file can be written, before its contents are
// made; "-" is standard output.
func (w *World) OpenTarget(path string, force bool, stdout *bufio.Writer) (*Target, error) {
	if path == "-" {
		if w.OutTerminal {
			return nil, Usagef(`"-": an archive is nothing for a terminal; name a file, or write it to a pipe`)
		}
		w.Allow(safe.Allowed{All: true})
		return &Target{Out: stdout}, nil
	}
	if end := filepath.Ext(path); end == ".gz" || end == ".tgz" || end == ".zip" || end == ".json" || end == ".tar" {
		return nil, Usagef("%s: what is written is a .tar.zst", path)
	}
	t := &Target{Path: path, Force: force, Scratch: w.Scratch}
	if err := t.free(); err != nil {
		return nil, err
	}
	f, err := w.Scratch.File(filepath.Dir(path), filepath.Base(path)+".tmp-*")
	if err != nil {
		return nil, Usagef("%s: %s", path, Fact(err))
	}
	t.File, t.Out = f, bufio.NewWriterSize(f, 256<<10)
	return t, nil
}

// free returns an error if the file may not be written.
func (t *Target) free() error {
	info, err := os.Lstat(t.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return Usagef("%s: %s", t.Path, Fact(err))
	case info.IsDir():
		return Usagef("%s: a folder; a snapshot is a file", t.Path)
	case !info.Mode().IsRegular():
		return Usagef("%s: no regular file; \"-\" is standard output", t.Path)
	case !t.Force:
		return Usagef("%s: there is one; --force replaces it", t.Path)
	}
	return nil
}

// Name is what people call it.
func (t *Target) Name() string {
	if t.Path == "" {
		return "standard output"
	}
	return t.Path
}

// Write writes to it.
func (t *Target) Write(b []byte) (int, error) {
	n, err := t.Out.Write(b)
	t.Written += int64(n)
	return n, t.failed(err)
}

func (t *Target) failed(err error) error {
	var said *WriteError
	if err == nil || errors.As(err, &said) {
		return err
	}
	return fmt.Errorf("%s: %s", t.Name(), Fact(err))
}

// Commit moves the file to its path. After it the file stays.
func (t *Target) Commit(ctx context.Context) error {
	if err := t.Out.Flush(); err != nil || t.File == nil {
		return t.failed(err)
	}
	if err := t.File.Sync(); err != nil {
		return t.failed(err)
	}
	if err := context.Cause(ctx); err != nil { // the last moment to give it up
		return err
	}
	if err := t.free(); err != nil { // somebody else may have made one
		return err
	}
	if err := t.File.Close(); err != nil {
		return t.failed(err)
	}
	if err := os.Rename(t.File.Name(), t.Path); err != nil {
		return t.failed(err)
	}
	t.Scratch.Forget(t.File.Name())
	t.File = nil
	return nil
}

// Abandon removes a file that was not committed.
func (t *Target) Abandon() error {
	if t.File == nil {
		return nil
	}
	t.File.Close() // again, perhaps
	err := os.Remove(t.File.Name())
	t.Scratch.Forget(t.File.Name())
	t.File = nil
	return t.failed(err)
}
