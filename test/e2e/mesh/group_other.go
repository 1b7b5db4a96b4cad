//go:build !linux

package mesh

import "syscall"

// ownGroup puts a child into a group of its own, out of the way of Ctrl-C.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
