//go:build !windows

package plugin

import (
	"errors"
	"os"
	"syscall"
)

// escapes tells whether a file may be given escape sequences, as far as the
// system can tell.
func escapes(*os.File) bool { return true }

// readerLeft tells whether an error of writing says that the reader has what
// it wanted.
func readerLeft(err error) bool { return errors.Is(err, syscall.EPIPE) }
