package mesh

import "syscall"

// ownGroup starts a child in a process group of its own, so that Ctrl-C doesn't reach it. The kernel kills the child if
// this process dies.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
