//go:build unix && !linux

package sandbox

import "os/exec"

// reopens reports whether opening /dev/fd/N gives a new view of an inherited file
// from its beginning. Only Linux does that.
const reopens = false

func startChild(cmd *exec.Cmd) (*child, error) { return startGuarded(cmd) }
