//go:build unix

package sandbox

import (
	"fmt"
	"os"
	"os/exec"
)

// guard is a shell script that runs a program and kills it when the pipe on the last
// inherited file ends. The pipe ends when this process ends, however it ends. If the
// program ends first, the script ends too.
const guard = `n=$1; shift
eval "exec \"\$@\" $n<&-" & program=$!
( eval "read -r line <&$n"; kill -9 $program ) 2>/dev/null & watch=$!
wait $program; code=$?
kill -9 $watch 2>/dev/null
exit $code`

// startGuarded starts a process under a shell that watches a pipe. It serves systems
// whose kernel doesn't kill the children of a process that was killed.
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
		sh.Wait() // the exit code of a process that is killed tells nothing
		w.Close()
		close(c.ended)
	}()
	return c, nil
}
