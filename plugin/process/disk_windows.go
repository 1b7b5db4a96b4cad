package process

import (
	"syscall"
	"unsafe"
)

// FreeBytes returns the number of bytes that the user can still write to the file
// system that contains dir. ok is false if the number is unknown.
func FreeBytes(dir string) (bytes int64, ok bool) {
	name, err := syscall.UTF16PtrFromString(dir)
	if err != nil {
		return 0, false
	}
	get := syscall.NewLazyDLL("kernel32.dll").NewProc("GetDiskFreeSpaceExW")
	done, _, _ := get.Call(uintptr(unsafe.Pointer(name)), uintptr(unsafe.Pointer(&bytes)), 0, 0)
	return bytes, done != 0
}
