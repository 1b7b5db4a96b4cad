package process

import (
	"errors"
	"os"
	"sync"
)

// A Scratch keeps track of the temporary files and directories of a run. Remove
// deletes those that still exist when the run ends, even if a signal has ended it.
// All methods except Remove may be called on a nil Scratch, which tracks nothing.
type Scratch struct {
	mu     sync.Mutex
	paths  map[string]bool
	closed bool
}

// errEnded is the error for creating a file after Remove was called.
var errEnded = errors.New("the run has ended")

// File creates a temporary file with a unique name in dir. Its mode is 0600.
func (s *Scratch) File(dir, pattern string) (f *os.File, err error) {
	err = s.make(func() (string, error) {
		if f, err = os.CreateTemp(dir, pattern); err != nil {
			return "", err
		}
		return f.Name(), nil
	})
	return f, err
}

// Folder creates a temporary directory with a unique name in the default directory
// for temporary files. Its mode is 0700.
func (s *Scratch) Folder(pattern string) (path string, err error) {
	return s.FolderIn("", pattern)
}

// FolderIn is like Folder, but creates the directory in dir.
func (s *Scratch) FolderIn(dir, pattern string) (path string, err error) {
	err = s.make(func() (string, error) {
		path, err = os.MkdirTemp(dir, pattern)
		return path, err
	})
	return path, err
}

// make calls path, which creates a file or directory, and records the path that
// path returns. It holds the lock during both steps, so that Remove can't run
// between them.
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

// Forget stops tracking a path, so that Remove doesn't delete it. It is called if
// the path was already deleted, or if the user is to keep the file.
func (s *Scratch) Forget(path string) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.paths, path)
}

// Remove deletes all files and directories that are tracked. After Remove, creating
// a file fails.
func (s *Scratch) Remove() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for path := range s.paths {
		_ = os.RemoveAll(path) // the run is over, so an error couldn't be handled
	}
}
