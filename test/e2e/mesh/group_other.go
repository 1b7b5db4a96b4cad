//go:build !linux

package mesh

import "syscall"

// ownGroup starts a child in a process group of its own, so that Ctrl-C doesn't reach it.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
