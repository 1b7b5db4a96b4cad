package process

import (
	"errors"
	"os"
	"sync"
)

// A Scratch records the temporary files and folders of a run. Remove deletes
// those that are left when the run ends, also after a signal. Every method
// except Remove may be called on nil, which records nothing.
type Scratch struct {
	mu     sync.Mutex
	paths  map[string]bool
	closed bool
}

// errEnded is the error of a file that a run would make after it was ended.
var errEnded = errors.New("the run has ended")

// File makes a file of its own in a folder, with mode 0600.
func (s *Scratch) File(dir, pattern string) (f *os.File, err error) {
	err = s.make(func() (string, error) {
		if f, err = os.CreateTemp(dir, pattern); err != nil {
			return "", err
		}
		return f.Name(), nil
	})
	return f, err
}

// Folder makes a folder of its own, with mode 0700, where the system keeps such.
func (s *Scratch) Folder(pattern string) (path string, err error) {
	err = s.make(func() (string, error) {
		path, err = os.MkdirTemp("", pattern)
		return path, err
	})
	return path, err
}

// make calls path, which creates a file or folder, and remembers it. It holds the
// lock all the time, so that remove can't run between the two.
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

// Forget makes the scratch keep a path: it was deleted, or the run's user wants it.
func (s *Scratch) Forget(path string) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.paths, path)
}

// Remove deletes what is remembered. No file can be made after it.
func (s *Scratch) Remove() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for path := range s.paths {
		_ = os.RemoveAll(path) // the run is over: no one can act on the error
	}
}
