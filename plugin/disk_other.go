//go:build !linux && !darwin && !windows

package plugin

// freeBytes can't tell on this system.
func freeBytes(string) (bytes int64, ok bool) { return 0, false }
