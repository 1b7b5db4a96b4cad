//go:build !unix

package sandbox

import (
	"errors"
	"os/exec"
)

const reopens = false

// startChild fails, because istiod has no binary for this system.
func startChild(*exec.Cmd) (*child, error) {
	return nil, errors.New("istiod runs on Linux and macOS only")
}
