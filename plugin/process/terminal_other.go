//go:build !windows

package process

import (
	"errors"
	"os"
	"syscall"
)

// escapes tells whether a file may be given escape sequences, as far as the
// system can tell.
func escapes(*os.File) bool { return true }

// ReaderLeft tells whether an error of writing says that the reader has what
// it wanted.
func ReaderLeft(err error) bool { return errors.Is(err, syscall.EPIPE) }
