//go:build unix

package sandbox

import (
	"fmt"
	"os"
	"os/exec"
)

// guard is a shell script that runs a program and kills it when a pipe is closed.
// The pipe is the last inherited file, and its other end is closed when this process
// ends for any reason. If the program ends first, the script ends too.
const guard = `n=$1; shift
eval "exec \"\$@\" $n<&-" & program=$!
( eval "read -r line <&$n"; kill -9 $program ) 2>/dev/null & watch=$!
wait $program; code=$?
kill -9 $watch 2>/dev/null
exit $code`

// startGuarded starts a process under a shell that waits for a pipe to be closed. It
// is used on systems whose kernel doesn't kill the children of a killed process.
func startGuarded(cmd *exec.Cmd) (*child, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	const firstExtra = 3
	number := fmt.Sprint(firstExtra + len(cmd.ExtraFiles))
	sh := exec.Command("/bin/sh", append([]string{"-c", guard, "sh", number, cmd.Path}, cmd.Args[1:]...)...)
	sh.Env, sh.Dir, sh.Stdout, sh.Stderr = cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr
	sh.ExtraFiles = append(cmd.ExtraFiles, r)
	if err := sh.Start(); err != nil {
		w.Close()
		return nil, err
	}
	c := &child{cmd: sh, ended: make(chan struct{}), guard: func() { w.Close() }}
	go func() {
		sh.Wait() // the exit code of a killed process carries no information
		w.Close()
		close(c.ended)
	}()
	return c, nil
}
