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

// A Target is the output file of a command. It is written completely or not at all:
// until Commit, the bytes are in a temporary file in the same directory.
type Target struct {
	Path    string // the path of the output file; empty means standard output
	Scratch *Scratch
	Force   bool
	File    *os.File // the temporary file; nil for standard output, and after Commit or Abandon
	Out     *bufio.Writer
	Written int64
}

// OpenTarget checks that the output file may be written, and returns a Target for
// it. It is called before the content is produced, so that a wrong path is reported
// early. The path "-" means standard output.
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

// free returns an error unless the output file may be created or replaced.
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

// Name returns the name of the output file for messages.
func (t *Target) Name() string {
	if t.Path == "" {
		return "standard output"
	}
	return t.Path
}

// Write writes bytes to the temporary file, or to standard output.
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

// Commit renames the temporary file to the path of the output file. It leaves
// standard output as it is.
func (t *Target) Commit(ctx context.Context) error {
	if err := t.Out.Flush(); err != nil || t.File == nil {
		return t.failed(err)
	}
	if err := t.File.Sync(); err != nil {
		return t.failed(err)
	}
	if err := context.Cause(ctx); err != nil { // this is the last moment at which the run can still be cancelled
		return err
	}
	if err := t.free(); err != nil { // another process may have created the output file in the meantime
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

// Abandon deletes the temporary file if it was not committed.
func (t *Target) Abandon() error {
	if t.File == nil {
		return nil
	}
	t.File.Close() // the file may already be closed, which is harmless
	err := os.Remove(t.File.Name())
	t.Scratch.Forget(t.File.Name())
	t.File = nil
	return t.failed(err)
}
