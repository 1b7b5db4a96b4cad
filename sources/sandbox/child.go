package sandbox

import "os/exec"

// A child is a process that ends at the latest when this process ends.
type child struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when the process has ended and its output was read
	guard func()        // ends the process by ending the shell that guards it; nil if the process is killed directly
}

// stop ends the process and waits for its end.
func (c *child) stop() {
	if c.guard != nil {
		c.guard()
	} else {
		c.cmd.Process.Kill() // an error only means that the process has already ended
	}
	<-c.ended
}
