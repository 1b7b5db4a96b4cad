//go:build !unix

package sandbox

import (
	"errors"
	"os/exec"
)

const reopens = false

// startChild always fails, because there is no istiod binary for this operating
// system.
func startChild(*exec.Cmd) (*child, error) {
	return nil, errors.New("istiod runs on Linux and macOS only")
}
