package plugin

import (
	"errors"
	"os"
	"sync"
)

// A scratch knows the files and folders of a run that are not to outlast it:
// what of them is left at its end is removed, however it ends. All methods may be called on nil, which remembers nothing.
type scratch struct {
	mu     sync.Mutex
	paths  map[string]bool
	closed bool
}

// errEnded is the error of a file that a run would make after it was ended.
var errEnded = errors.New("the run has ended")

// file makes a file of its own in a folder, with mode 0600.
func (s *scratch) file(dir, pattern string) (f *os.File, err error) {
	err = s.make(func() (string, error) {
		if f, err = os.CreateTemp(dir, pattern); err != nil {
			return "", err
		}
		return f.Name(), nil
	})
	return f, err
}

// folder makes a folder of its own, with mode 0700, where the system keeps such.
func (s *scratch) folder(pattern string) (path string, err error) {
	err = s.make(func() (string, error) {
		path, err = os.MkdirTemp("", pattern)
		return path, err
	})
	return path, err
}

// make makes and remembers a path at once: in between it would be left behind.
func (s *scratch) make(path func() (string, error)) error {
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

// forget says that a path is gone, or is to stay.
func (s *scratch) forget(path string) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.paths, path)
}

// remove removes all that is there, and keeps more from being made.
func (s *scratch) remove() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for path := range s.paths {
		_ = os.RemoveAll(path) // there is nobody left to report it to
	}
}
