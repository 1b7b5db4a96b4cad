package process

import (
	"errors"
	"os"
	"syscall"
)

// virtualTerminal is the mode in which a console interprets escape sequences
// (ENABLE_VIRTUAL_TERMINAL_PROCESSING).
const virtualTerminal = 4

// escapes reports whether escape sequences can be written to a file. If the file is
// a console, escapes first sets its mode to interpret them. Files that are not
// consoles need no mode.
func escapes(f *os.File) bool {
	handle := syscall.Handle(f.Fd())
	var mode uint32
	if err := syscall.GetConsoleMode(handle, &mode); err != nil || mode&virtualTerminal != 0 {
		return true
	}
	set := syscall.NewLazyDLL("kernel32.dll").NewProc("SetConsoleMode")
	ok, _, _ := set.Call(uintptr(handle), uintptr(mode|virtualTerminal))
	return ok != 0
}

// These are the errors of writing to a pipe whose reader has closed it.
const (
	brokenPipe = syscall.Errno(109) // ERROR_BROKEN_PIPE
	noData     = syscall.Errno(232) // ERROR_NO_DATA: the reader is closing the pipe
)

// ReaderLeft reports whether a write failed because the reader has closed the pipe.
func ReaderLeft(err error) bool {
	return errors.Is(err, brokenPipe) || errors.Is(err, noData) || errors.Is(err, syscall.EPIPE)
}
