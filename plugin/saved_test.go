package plugin

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/plugin/help"
	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/plugin/saved"
)

// inFolder runs a command line in a folder, with a separate configuration folder.
func inFolder(t *testing.T, dir string, args ...string) (out, errs string, code int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	w := &process.World{
		Args: append([]string{"kubectl-meshq"}, args...), In: strings.NewReader(""), Out: &stdout, Err: &stderr,
		Environ: []string{"XDG_CONFIG_HOME=" + filepath.Join(dir, "config")}, Dir: dir, Now: time.Now,
	}
	code = Main(w)
	return stdout.String(), stderr.String(), code
}

// TestSaveKeepsItsWord checks that the flags of save are read back unchanged from
// the header that save writes.
func TestSaveKeepsItsWord(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string // the expected error; empty if the query is saved
	}{
		{[]string{"--doc", "what: it gives\n\nmore about it\nand more"}, ""},
		{[]string{"--doc", "  one  "}, ""},
		{[]string{"--doc", "one\naliases: y"}, "--doc: a line of it"},
		{[]string{"--doc", "one\n--port NUMBER  a flag"}, "--doc: a line of it"},
		{[]string{"--columns", "A\nexample: B"}, "more than one line"},
		{[]string{"--takes", "a\noutput: yaml"}, "more than one line"},
		{[]string{"--output", "json\n.secret"}, "more than one line"},
		{[]string{"--example", "x\n.secret"}, "more than one line"},
		{[]string{"--takes", "a=1, b"}, ""},
	} {
		dir := t.TempDir()
		_, errs, code := inFolder(t, dir, append([]string{"save", "mine", ".kind"}, c.args...)...)
		if c.want == "" && code != 0 || c.want != "" && (code != process.ExitUsage || !strings.Contains(errs, c.want)) {
			t.Errorf("%q: exit code %d: %s, want %q", c.args, code, errs, c.want)
		}
		if c.want != "" {
			continue
		}
		if out, errs, code := inFolder(t, dir, "--snapshot", "demo", "mine"); out != "\"Mesh\"\n" || code != 0 {
			t.Errorf("%q: exit code %d: %s%s", c.args, code, out, errs)
		}
	}
}

// TestFolders checks in which folders saved queries are searched, and in which
// order.
func TestFolders(t *testing.T) {
	dir := t.TempDir()
	deep := filepath.Join(dir, "a", "b")
	if err := os.MkdirAll(filepath.Join(deep, saved.ProjectFolder), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, saved.ProjectFolder), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "a", saved.ProjectFolder), nil, 0o644); err != nil { // a file in place of a folder
		t.Fatal(err)
	}
	w := &process.World{Dir: deep, Environ: []string{"HOME=" + dir, saved.LibraryEnv + "=" + filepath.Join(dir, "x")}}
	want := []saved.Folder{
		{Path: filepath.Join(dir, "x"), Project: false}, {Path: filepath.Join(deep, saved.ProjectFolder), Project: true}, {Path: filepath.Join(dir, saved.ProjectFolder), Project: true},
		{Path: filepath.Join(dir, ".config", "meshq", "library"), Project: false},
	}
	var got []saved.Folder
	for _, f := range saved.Folders(w) {
		if strings.HasPrefix(f.Path, dir) { // ignore folders above dir, which belong to the machine that runs the test
			got = append(got, f)
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%v, want %v", got[i], want[i])
		}
	}
}

// TestUnreadableSaved checks that the error names the path if the query is not a
// regular file.
func TestUnreadableSaved(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, saved.ProjectFolder, "odd.jq"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, errs, code := inFolder(t, dir, "--snapshot", "demo", "odd"); code != process.ExitUsage || !strings.Contains(errs, "odd.jq: no regular file") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}

// TestQueriesPage checks the examples on the help page about queries: the command
// that saves a query, and a file with everything that a header can contain.
func TestQueriesPage(t *testing.T) {
	dir := t.TempDir()
	_, errs, code := inFolder(t, dir, "save", "old", ".proxies[] | select(.version | semver($below)) | {name, version}",
		"--doc", "proxies of an old version.", "--takes", "below=<1.31.0", "-o", "table")
	for _, part := range []string{".proxies[] | select(.version | semver($below)) | {name, version}", "--doc 'proxies of an old version.' --takes 'below=<1.31.0' -o table"} {
		if !strings.Contains(help.QueriesPage, part) {
			t.Errorf("the page doesn't have %s", part)
		}
	}
	if code != 0 {
		t.Fatal(errs)
	}
	if out, errs, code := inFolder(t, dir, "--snapshot", "demo", "old", "--below", "<1.32.0", "--no-headers"); code != 0 || strings.Count(out, "1.31.0\n") != 7 {
		t.Errorf("exit code %d: %s%s", code, out, errs)
	}
	_, example, _ := strings.Cut(help.QueriesPage, "\n  # old:")
	example, _, _ = strings.Cut(example, "\n\n")
	q, err := saved.ReadHeader(&process.World{}, "old.jq", "# old:"+strings.ReplaceAll(example, "\n  #", "\n#")+"\n\n.x\n")
	if err != nil || len(q.Args) != 5 || q.Output != "table" || len(q.Columns[""]) != 2 || len(q.Aliases) != 1 || len(q.Examples) != 1 || q.Doc == "" {
		t.Errorf("%v: %+v", err, q)
	}
}

// TestProjectHidesOwn checks the note that a project's query hides the user's own
// query of the same name. The run of the query and the command list print it, each
// exactly once.
func TestProjectHidesOwn(t *testing.T) {
	dir := t.TempDir()
	own, project := filepath.Join(dir, "config", "meshq", "library"), filepath.Join(dir, saved.ProjectFolder)
	write(t, filepath.Join(own, "shop.jq"), "# shop: mine\n\n\"mine\"\n")
	write(t, filepath.Join(own, "other.jq"), "# other: mine\n# aliases: market\n\n\"mine\"\n")
	for _, args := range [][]string{{"shop"}, {"other"}, {"market"}} {
		if out, errs, code := inFolder(t, dir, append([]string{"--snapshot", "demo"}, args...)...); out != "\"mine\"\n" || errs != "" || code != 0 {
			t.Errorf("%q: exit code %d: %s%s", args, code, out, errs)
		}
	}
	write(t, filepath.Join(project, "shop.jq"), "# shop: theirs\n\n\"theirs\", \"again\"\n")
	const note = "note: .meshq/shop.jq is run: it hides your own config/meshq/library/shop.jq\n"
	for _, args := range [][]string{{"shop"}, {"wait", "shop", "--timeout", "1s"}, {"shop", "-q"}} {
		if _, errs, code := inFolder(t, dir, append([]string{"--snapshot", "demo"}, args...)...); strings.Count(errs, note) != 1 || code != 0 {
			t.Errorf("%q: exit code %d: %s", args, code, errs)
		}
	}
	if out, errs, _ := inFolder(t, dir, "list"); strings.Count(errs, "note: .meshq/shop.jq hides your own config/meshq/library/shop.jq\n") != 1 || !strings.Contains(out, "theirs") {
		t.Errorf("%s%s", out, errs)
	}
	if _, errs, code := inFolder(t, dir, "--snapshot", "demo", "-f", filepath.Join(project, "shop.jq")); errs != "" || code != 0 {
		t.Errorf("by its file: exit code %d: %s", code, errs)
	}
}

// TestSavedLinksStayInside checks that a link to a file outside of its folder is
// refused, without printing any text of that file. A link to a file in the same
// folder is followed.
func TestSavedLinksStayInside(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "secret"), "TOP SECRET (\n")
	write(t, filepath.Join(dir, saved.ProjectFolder, "real.jq"), "# real: it\n\n\"real\"\n")
	for name, to := range map[string]string{"out": "../secret", "whole": filepath.Join(dir, "secret"), "gone": "nowhere", "inside": "real.jq", "passwd": "/etc/passwd"} {
		if err := os.Symlink(to, filepath.Join(dir, saved.ProjectFolder, name+saved.Suffix)); err != nil {
			t.Skip(err)
		}
	}
	for _, name := range []string{"out", "whole", "gone", "passwd"} {
		for _, args := range [][]string{{"--snapshot", "demo", name}, {"show", name}, {"wait", name, "--timeout", "1s"}, {"help", name}, {name, "--help"}, {"__complete", name, "-"}, {"list"}} {
			out, errs, code := inFolder(t, dir, args...)
			if strings.Contains(out+errs, "SECRET") || strings.Contains(out+errs, "root:") {
				t.Errorf("%q: %s%s", args, out, errs)
			}
			if refused := strings.Contains(errs, name+".jq: a link that leads out of its folder"); !refused && args[0] != "help" && args[0] != "__complete" && args[0] != "wait" {
				t.Errorf("%q: exit code %d: %s%s", args, code, out, errs)
			}
		}
	}
	if out, errs, code := inFolder(t, dir, "--snapshot", "demo", "inside"); out != "\"real\"\n" || code != 0 {
		t.Errorf("exit code %d: %s%s", code, out, errs)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = os.WriteFile(path, []byte(text), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
