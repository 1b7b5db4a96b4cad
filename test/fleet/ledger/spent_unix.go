//go:build unix

package ledger

import (
	"runtime"
	"syscall"
)

// Mine returns what this process has used so far.
func Mine() Spent {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return Spent{}
	}
	return Of(&r)
}

// Of converts the usage of a process that has ended. usage is a result of os.ProcessState.SysUsage; for anything else
// Of returns zeros.
func Of(usage any) Spent {
	r, ok := usage.(*syscall.Rusage)
	if !ok {
		return Spent{}
	}
	unit := int64(1 << 10) // Maxrss is in KiB, but in bytes on macOS
	if runtime.GOOS == "darwin" {
		unit = 1
	}
	return Spent{seconds(r.Utime) + seconds(r.Stime), int64(r.Maxrss) * unit}
}

func seconds(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
