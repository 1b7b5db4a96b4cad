package mesh

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// A process is a running program in a process group of its own. Its output goes to a file.
type process struct {
	name string
	log  string
	cmd  *exec.Cmd
	done chan struct{} // closed when the process has exited
}

// A command describes how to start a program.
type command struct {
	name string // the component's name, "etcd" or "envoy-reviews-v1"
	path string
	args []string
	env  []string // environment variables besides PATH and HOME; no others are inherited
	dir  string
}

func (c command) start(logs string) (*process, error) {
	p := &process{name: c.name, log: filepath.Join(logs, c.name+".log"), done: make(chan struct{})}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p.cmd = exec.Command(c.path, c.args...)
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + c.dir, "TMPDIR=" + c.dir}, c.env...)
	p.cmd.Dir = c.dir
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = ownGroup()
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	go func() {
		p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

func (p *process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// signal sends a signal to the process and its children.
func (p *process) signal(s syscall.Signal) error {
	if !p.running() {
		return fmt.Errorf("%s: not running", p.name)
	}
	return syscall.Kill(-p.pid(), s)
}

// kill kills the process and waits until it has exited.
func (p *process) kill() {
	if p.running() {
		syscall.Kill(-p.pid(), syscall.SIGKILL)
		<-p.done
	}
}

// await calls ask until it succeeds, the process exits or ctx is done.
func (p *process) await(ctx context.Context, ask func(context.Context) error) error {
	for {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("%s: ended before it was ready; the end of its log:\n%s", p.name, p.tail())
		case <-ctx.Done():
			return fmt.Errorf("%s: not ready: %w; the end of its log:\n%s", p.name, errors.Join(ctx.Err(), err), p.tail())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (p *process) tail() []byte {
	b, _ := os.ReadFile(p.log)
	lines := bytes.Split(bytes.TrimSpace(b), []byte("\n"))
	return bytes.Join(lines[max(0, len(lines)-15):], []byte("\n"))
}

// stopAll asks all processes to exit, and kills those that are still running after the grace period.
func stopAll(all []*process, grace time.Duration) {
	for _, p := range all {
		if p.running() {
			p.signal(syscall.SIGTERM)
			p.signal(syscall.SIGCONT)
		}
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	var stopped sync.WaitGroup
	expired := make(chan struct{})
	go func() { <-timer.C; close(expired) }()
	for _, p := range all {
		stopped.Go(func() {
			select {
			case <-p.done:
			case <-expired:
				p.kill()
			}
		})
	}
	stopped.Wait()
}
