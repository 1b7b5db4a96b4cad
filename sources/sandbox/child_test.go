//go:build unix

package sandbox

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain runs the tests. With an argument, it is a parent that starts a child, prints
// the ids of the processes, and sleeps until it is killed.
func TestMain(m *testing.M) {
	if how := os.Getenv("MESHQ_TEST_PARENT"); how != "" {
		parent(how)
		return
	}
	os.Exit(m.Run())
}

func parent(how string) {
	start := startChild
	if how == "guarded" {
		start = startGuarded
	}
	c, err := start(exec.Command("/bin/sh", "-c", "echo $$; exec sleep 1000"))
	if err != nil {
		panic(err)
	}
	fmt.Println(c.cmd.Process.Pid)
	time.Sleep(time.Hour)
}

func isAlive(pid int) bool {
	if runtime.GOOS == "linux" { // a process that has ended but wasn't waited for still has a pid
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		return err == nil && !strings.Contains(string(b), ") Z ")
	}
	return syscall.Kill(pid, 0) == nil
}

// await waits until ok returns true, for at most a minute.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 6000 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal(what)
}

// TestEndsWithParent kills a process that has started a child. The child then ends
// too: by the kernel, or by the shell that watches over it.
func TestEndsWithParent(t *testing.T) {
	for _, how := range []string{"system", "guarded"} {
		t.Run(how, func(t *testing.T) {
			p := exec.Command(os.Args[0])
			p.Env = append(os.Environ(), "MESHQ_TEST_PARENT="+how)
			out, err := p.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Start(); err != nil {
				t.Fatal(err)
			}
			line, err := bufio.NewReader(out).ReadString('\n')
			pid, e := strconv.Atoi(strings.TrimSpace(line))
			if err != nil || e != nil {
				t.Fatalf("%q, %v", line, err)
			}
			all := descendants(t, pid)
			if len(all) == 0 || !isAlive(pid) {
				t.Fatalf("%d has not started", pid)
			}
			if err := p.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			p.Wait()
			for _, id := range all {
				await(t, fmt.Sprintf("%d is still alive", id), func() bool { return !isAlive(id) })
			}
		})
	}
}

// descendants returns the ids of a process and of all processes below it.
func descendants(t *testing.T, pid int) []int {
	t.Helper()
	time.Sleep(200 * time.Millisecond) // give the shell time to start the program
	out, err := exec.Command("ps", "-A", "-o", "pid=,ppid=").Output()
	if err != nil {
		t.Skip("ps is not installed")
	}
	all := []int{pid}
	for range 4 {
		for l := range strings.Lines(string(out)) {
			words := strings.Fields(l)
			id, _ := strconv.Atoi(words[0])
			of, _ := strconv.Atoi(words[1])
			if contains(all, of) && !contains(all, id) {
				all = append(all, id)
			}
		}
	}
	return all
}

func contains(all []int, n int) bool {
	for _, x := range all {
		if x == n {
			return true
		}
	}
	return false
}

// TestStop ends children on demand, and reports the end of one that ends by itself.
func TestStop(t *testing.T) {
	for name, start := range map[string]func(*exec.Cmd) (*child, error){"system": startChild, "guarded": startGuarded} {
		t.Run(name, func(t *testing.T) {
			c, err := start(exec.Command("/bin/sleep", "1000"))
			if err != nil {
				t.Fatal(err)
			}
			all := descendants(t, c.cmd.Process.Pid)
			c.stop()
			c.stop()
			for _, id := range all {
				await(t, fmt.Sprintf("%d is still alive", id), func() bool { return !isAlive(id) })
			}
			if c, err = start(exec.Command("/bin/sh", "-c", "exit 3")); err != nil {
				t.Fatal(err)
			}
			select {
			case <-c.ended:
			case <-time.After(time.Minute):
				t.Fatal("the end of the process was not noticed")
			}
		})
	}
}
