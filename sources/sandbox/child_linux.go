package sandbox

import (
	"os/exec"
	"runtime"
	"syscall"
)

// reopens reports whether opening /dev/fd/N gives a new view of an inherited file
// from its beginning, even if the file has no name any more. Linux does that.
const reopens = true

// startChild starts a process that the kernel kills when this process ends
// (PR_SET_PDEATHSIG in prctl(2)). The kernel already does so when the thread that
// started the process ends. So one goroutine keeps its thread until the process has
// ended.
func startChild(cmd *exec.Cmd) (*child, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	c := &child{cmd: cmd, ended: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			cmd.Wait() // the exit code of a process that is killed tells nothing
			close(c.ended)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return c, nil
}
