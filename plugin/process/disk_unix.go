//go:build linux || darwin

package process

import "syscall"

// FreeBytes returns the number of bytes that the user can still write to the file
// system that contains dir. ok is false if the number is unknown.
func FreeBytes(dir string) (bytes int64, ok bool) {
	var s syscall.Statfs_t
	if syscall.Statfs(dir, &s) != nil {
		return 0, false
	}
	return int64(s.Bavail) * int64(s.Bsize), true
}
