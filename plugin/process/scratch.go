package process

import (
	"errors"
	"os"
	"sync"
)

// A Scratch keeps track of the temporary files and directories of a run. Remove
// deletes those that still exist when the run ends, even if a signal has ended
// it. All methods except Remove may be called on a nil Scratch, which keeps track
// of nothing.
type Scratch struct {
	mu     sync.Mutex
	paths  map[string]bool
	closed bool
}

// errEnded is returned if a run creates a file after Remove was called.
var errEnded = errors.New("the run has ended")

// File creates a temporary file with a unique name in a directory, with mode
// 0600.
func (s *Scratch) File(dir, pattern string) (f *os.File, err error) {
	err = s.make(func() (string, error) {
		if f, err = os.CreateTemp(dir, pattern); err != nil {
			return "", err
		}
		return f.Name(), nil
	})
	return f, err
}

// Folder creates a temporary directory with a unique name, with mode 0700. It is
// in the default directory for temporary files.
func (s *Scratch) Folder(pattern string) (path string, err error) {
	err = s.make(func() (string, error) {
		path, err = os.MkdirTemp("", pattern)
		return path, err
	})
	return path, err
}

// make calls path, which creates a file or directory, and remembers the path that
// it returns. It holds the lock during both, so that Remove can't run in between.
func (s *Scratch) make(path func() (string, error)) error {
	if s == nil {
		_, err := path()
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errEnded
	}
	name, err := path()
	if err != nil {
		return err
	}
	if s.paths == nil {
		s.paths = map[string]bool{}
	}
	s.paths[name] = true
	return nil
}

// Forget makes Remove keep a path, because the path was already deleted or is
// wanted by the user.
func (s *Scratch) Forget(path string) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.paths, path)
}

// Remove deletes the files and directories that are remembered. No file can be
// created after it.
func (s *Scratch) Remove() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for path := range s.paths {
		_ = os.RemoveAll(path) // the run is over: no one can act on the error
	}
}
