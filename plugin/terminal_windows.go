package plugin

import (
	"errors"
	"os"
	"syscall"
)

// virtualTerminal is the mode of a console that takes escape sequences
// (ENABLE_VIRTUAL_TERMINAL_PROCESSING).
const virtualTerminal = 4

// escapes tells whether a file may be given escape sequences: a console that
// knows them is asked to take them. What is no console isn't asked.
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

// The errors of writing to a pipe whose reader has left.
const (
	brokenPipe = syscall.Errno(109) // ERROR_BROKEN_PIPE
	noData     = syscall.Errno(232) // ERROR_NO_DATA: the pipe is being closed
)

// readerLeft tells whether an error of writing says that the reader has what
// it wanted.
func readerLeft(err error) bool {
	return errors.Is(err, brokenPipe) || errors.Is(err, noData) || errors.Is(err, syscall.EPIPE)
}
