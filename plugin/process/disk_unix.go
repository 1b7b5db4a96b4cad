//go:build linux || darwin

package process

import "syscall"

// FreeBytes gives how many bytes this user may still write to the file system
// of a folder.
func FreeBytes(dir string) (bytes int64, ok bool) {
	var s syscall.Statfs_t
	if syscall.Statfs(dir, &s) != nil {
		return 0, false
	}
	return int64(s.Bavail) * int64(s.Bsize), true
}
