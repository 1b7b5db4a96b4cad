package diffcmd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/printers/safe"
	"github.com/meshq/kubectl-meshq/query/diff"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// An externalView writes both sides of each section that differs into two folders,
// and runs a program that shows the folders, as kubectl diff does. It removes the
// folders when the program has ended.
type externalView struct {
	*comparison
	program string
	id      string
	folders [2]string // paths; empty until the first difference is found
}

func (v *externalView) begin(id string) { v.id = id }

func (v *externalView) section(ctx context.Context, s diff.Section, _ *mesh.Object) (err error) {
	if s.Edit == nil {
		return nil
	}
	if err := v.open(); err != nil {
		return err
	}
	var files [2]*os.File
	var out [2]*bufio.Writer
	for i, folder := range v.folders {
		name := filepath.Join(folder, fileSafe(v.id)+"."+string(s.Name)+".json")
		if files[i], err = os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, files[i].Close()) }()
		out[i] = bufio.NewWriter(safe.NewWriter(files[i])) // the program may print the files, so they must not contain control characters
	}
	err = s.Texts(ctx, func(l diff.TextLine) {
		if l.Op != '+' {
			fmt.Fprintln(out[0], l.Text)
		}
		if l.Op != '-' {
			fmt.Fprintln(out[1], l.Text)
		}
	})
	return errors.Join(err, out[0].Flush(), out[1].Flush())
}

// fileSafe returns a safe file name. It replaces control characters and characters
// with a meaning in shells, because the program may print the name or be a shell
// script.
func fileSafe(name string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\\:*?"'<>|&;$`+"`(){}[]!#~", r) || r <= ' ' {
			return '_'
		}
		return r
	}, safe.Line(name))
}

func (v *externalView) open() error {
	if v.folders[0] != "" {
		return nil
	}
	a, b := v.sides()
	for i, side := range []string{a, b} {
		var err error
		if v.folders[i], err = v.Scratch.Folder(strings.ToUpper(side) + "-"); err != nil {
			return errors.Join(err, v.remove())
		}
	}
	return nil
}

func (v *externalView) end(context.Context) error { return nil }

// close runs the program over the folders. The program's exit code 1 only means that
// there are differences, so it is no error. All other failures of the program are
// errors.
func (v *externalView) close(ctx context.Context) (err error) {
	if v.folders[0] == "" {
		return nil
	}
	defer func() { err = errors.Join(err, v.remove()) }()
	if err := v.Stdout.Flush(); err != nil {
		return err
	}
	v.Allow(safe.Allowed{Colors: true})
	name, args := programOf(v.program)
	cmd := exec.CommandContext(ctx, name, append(args, v.folders[0], v.folders[1])...)
	cmd.Cancel = func() error { return stopProgram(cmd.Process) }
	cmd.WaitDelay = externalDelay
	cmd.Stdin, cmd.Stdout, cmd.Stderr = v.In, v.StandardOutput(), v.Err
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, exec.ErrWaitDelay), errors.As(err, &exit) && exit.ExitCode() == 1:
		return nil
	}
	if err != nil {
		return fmt.Errorf("KUBECTL_EXTERNAL_DIFF: %s: %s", name, process.Fact(err))
	}
	return nil
}

func (v *externalView) remove() error {
	var errs []error
	for _, folder := range v.folders {
		if folder != "" {
			errs = append(errs, os.RemoveAll(folder))
			v.Scratch.Forget(folder)
		}
	}
	return errors.Join(errs...)
}

// externalDelay is how long a background process of the program may keep the
// program's output open. It is also how long the program may take to end after it
// was signalled.
const externalDelay = time.Second

// stopProgram sends SIGTERM to a program, so that it can remove its temporary files.
// On systems without this signal, it kills the program.
func stopProgram(p *os.Process) error {
	if p.Signal(syscall.SIGTERM) != nil {
		return p.Kill()
	}
	return nil
}

// plainArgument matches the words that kubectl accepts as arguments of the program.
var plainArgument = regexp.MustCompile(`^[a-zA-Z0-9-=]+$`)

// programOf splits a command into a program and its arguments, as kubectl does.
func programOf(text string) (name string, args []string) {
	words := strings.Split(text, " ")
	for _, w := range words[1:] {
		if plainArgument.MatchString(w) {
			args = append(args, w)
		}
	}
	return words[0], args
}
