//go:build !windows

package process

import (
	"errors"
	"os"
	"syscall"
)

// escapes reports whether a terminal interprets escape sequences. On systems other
// than Windows, it assumes that every terminal does.
func escapes(*os.File) bool { return true }

// ReaderLeft reports whether a write failed because the reader has closed the pipe,
// as head does when it has read enough.
func ReaderLeft(err error) bool { return errors.Is(err, syscall.EPIPE) }
