package shell

import (
	"github.com/meshq/kubectl-meshq/plugin/process"

	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"
)

// These scripts complete words inside quotes. The completion of kubectl itself
// doesn't work while a quote is open.
var (
	//go:embed complete.bash
	bashScript string
	//go:embed complete.zsh
	zshScript string
)

const pluginName = "kubectl-meshq"

const completionLong = `Completion has two parts that work independently.

install puts a link next to the plugin, ` + LinkName + `: with it, kubectl 1.26+ completes
"kubectl meshq", if kubectl's own completion is set up in your shell. uninstall removes the link.

bash and zsh print a script for your shell, which also completes inside quotes, where queries are written, and completes
kubectl-meshq itself. Source it after kubectl's own script, in ~/.bashrc or ~/.zshrc:

  source <(kubectl completion bash)
  source <(kubectl meshq completion bash)

fish and powershell print scripts for kubectl-meshq itself.`

// CompletionCommand returns the command "completion", which prints completion
// scripts and creates the link for kubectl.
func CompletionCommand(w *process.World) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "completion",
		Short: "Complete queries, names and flags with TAB",
		Long:  completionLong,
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return process.Usagef("completion: one of install, uninstall, bash, zsh, fish, powershell")
		},
	}
	add := func(use, short string, run func() error) {
		cmd.AddCommand(&cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, ValidArgsFunction: cobra.NoFileCompletions,
			RunE: func(*cobra.Command, []string) error { return run() }})
	}
	named := &cobra.Command{Use: pluginName}
	add("install", "Have kubectl complete what comes behind \"kubectl meshq\"", func() error { return installCompletion(w) })
	add("uninstall", "Undo that", func() error { return uninstallCompletion(w) })
	add("bash", "A script for bash", func() error { return printText(w, bashScript) })
	add("zsh", "A script for zsh", func() error { return printText(w, zshScript) })
	add("fish", "A script for fish", func() error { return named.GenFishCompletion(w.Out, true) })
	add("powershell", "A script for PowerShell", func() error { return named.GenPowerShellCompletionWithDesc(w.Out) })
	return cmd
}

func printText(w *process.World, text string) error {
	_, err := fmt.Fprint(w.Out, text)
	return err
}

// A linkPlace has the path of the plugin and the path of the link for kubectl.
type linkPlace struct {
	plugin string // the path of the plugin's file on PATH
	path   string // the path of the link, which may not exist yet
}

// place searches PATH for the plugin, as kubectl does.
func place(w *process.World) (linkPlace, error) {
	ends := []string{""}
	if runtime.GOOS == "windows" {
		ends = []string{".exe"}
	}
	for _, dir := range filepath.SplitList(w.Env("PATH")) {
		for _, end := range ends {
			plugin := filepath.Join(dir, pluginName+end)
			if info, err := os.Stat(plugin); err == nil && info.Mode().IsRegular() && (runtime.GOOS == "windows" || info.Mode()&0o111 != 0) && filepath.IsAbs(dir) {
				return linkPlace{plugin, filepath.Join(dir, LinkName+end)}, nil
			}
		}
	}
	return linkPlace{}, process.Usagef("%s is in no folder of PATH, where kubectl looks for it: put it there first", pluginName)
}

// installCompletion creates the link in the same folder as the plugin.
func installCompletion(w *process.World) error {
	p, err := place(w)
	if err != nil {
		return err
	}
	switch state, err := p.state(); {
	case err != nil:
		return err
	case state == linked:
		fmt.Fprintf(w.Out, "%s is there already\n", p.path)
		return advise(w)
	case state == foreign:
		return process.Usagef("%s: something else is there; remove it first", p.path)
	}
	what, err := p.link()
	if err != nil {
		return process.Usagef("%s: %s; the folder of %s has to be writable", p.path, process.Fact(err), pluginName)
	}
	fmt.Fprintf(w.Out, "%s: %s\n", p.path, what)
	return advise(w)
}

// advise prints the steps that the user still has to take.
func advise(w *process.World) error {
	shell, rc := "bash", "~/.bashrc"
	if filepath.Base(w.Env("SHELL")) == "zsh" {
		shell, rc = "zsh", "~/.zshrc"
	}
	_, err := fmt.Fprintf(w.Out, "kubectl 1.26 and later completes \"kubectl meshq\" with it, where its own completion is set up.\n"+
		"Inside quotes, where queries are written, a shell needs a script; in %s, behind kubectl's own:\n"+
		"  source <(kubectl meshq completion %s)\n", rc, shell)
	return err
}

// uninstallCompletion removes the link. It returns an error if the file is not a
// link that installCompletion created.
func uninstallCompletion(w *process.World) error {
	p, err := place(w)
	if err != nil {
		return err
	}
	switch state, err := p.state(); {
	case err != nil:
		return err
	case state == absent:
		fmt.Fprintf(w.Out, "%s is not there\n", p.path)
		return nil
	case state == foreign:
		return process.Usagef("%s: that is not what install makes; it stays", p.path)
	}
	if err := os.Remove(p.path); err != nil {
		return process.Usagef("%s: %s", p.path, process.Fact(err))
	}
	fmt.Fprintf(w.Out, "%s is removed\n", p.path)
	return nil
}

// A linkState describes the file at the path of the link.
type linkState int

const (
	absent linkState = iota
	linked
	foreign
)

// Shim is the script that is written instead of a link if links are not supported.
const Shim = "#!/bin/sh\nexec " + pluginName + " __complete \"$@\"\n"

func (p linkPlace) state() (linkState, error) {
	info, err := os.Lstat(p.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return absent, nil
	case err != nil:
		return foreign, process.Usagef("%s: %s", p.path, process.Fact(err))
	}
	if text, err := readSmall(p.path, info); err == nil && text == Shim {
		return linked, nil
	}
	plugin, err := os.Stat(p.plugin)
	if err != nil {
		return foreign, process.Usagef("%s: %s", p.plugin, process.Fact(err))
	}
	if there, err := os.Stat(p.path); err == nil && os.SameFile(plugin, there) {
		return linked, nil
	}
	if target, err := os.Readlink(p.path); err == nil && strings.HasPrefix(filepath.Base(target), pluginName) {
		return linked, nil // the link was created by us, although the plugin that it points to no longer exists
	}
	if runtime.GOOS == "windows" && info.Mode().IsRegular() {
		return absent, nil // the file is probably a copy of another version of the plugin, which may be replaced
	}
	return foreign, nil
}

func readSmall(path string, info os.FileInfo) (string, error) {
	if !info.Mode().IsRegular() || info.Size() > 1<<10 {
		return "", fs.ErrInvalid
	}
	text, err := os.ReadFile(path)
	return string(text), err
}

// link creates the link and returns a description of what it created. On Windows it
// creates a hard link, or else a copy of the plugin, because a symbolic link
// requires special rights, and cmd.exe would interpret the arguments of a script.
func (p linkPlace) link() (what string, err error) {
	if runtime.GOOS == "windows" {
		_ = os.Remove(p.path)
		if os.Link(p.plugin, p.path) == nil {
			return "a second name of " + filepath.Base(p.plugin) + "; after an update, run this again", nil
		}
		return "a copy of " + filepath.Base(p.plugin) + "; after an update, run this again", copyFile(p.plugin, p.path)
	}
	if err := os.Symlink(filepath.Base(p.plugin), p.path); err == nil || errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrExist) {
		return "a link to " + filepath.Base(p.plugin), err
	}
	return "a script that runs " + filepath.Base(p.plugin), os.WriteFile(p.path, []byte(Shim), 0o755)
}

func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o755)
}

// LinkName is the file name under which kubectl finds the completion of the
// plugin.
const LinkName = "kubectl_complete-meshq"
