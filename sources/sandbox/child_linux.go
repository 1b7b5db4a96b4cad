package sandbox

import (
	"os/exec"
	"runtime"
	"syscall"
)

// reopens reports whether opening /dev/fd/N returns an inherited file at offset
// 0, even if the file was deleted. On Linux it does.
const reopens = true

// startChild starts a process that the kernel kills when this process ends
// (PR_SET_PDEATHSIG in prctl(2)). The kernel would also kill it when the thread
// that started it ends, so one goroutine stays locked to that thread until the
// process has ended.
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
			cmd.Wait() // the exit code of a killed process carries no information
			close(c.ended)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return c, nil
}
