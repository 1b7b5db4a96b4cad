package mesh

import "syscall"

// ownGroup puts a child into a group of its own, out of the way of Ctrl-C, and
// has the kernel end it if this process ends without a word.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
