//go:build unix

package ledger

import (
	"runtime"
	"syscall"
)

// Mine is what this process has used so far.
func Mine() Spent {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return Spent{}
	}
	return Of(&r)
}

// Of reads the usage of a process that has ended, as
// os.ProcessState.SysUsage gives it; nothing where that is something else.
func Of(usage any) Spent {
	r, ok := usage.(*syscall.Rusage)
	if !ok {
		return Spent{}
	}
	unit := int64(1 << 10) // of Maxrss
	if runtime.GOOS == "darwin" {
		unit = 1
	}
	return Spent{seconds(r.Utime) + seconds(r.Stime), int64(r.Maxrss) * unit}
}

func seconds(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
