package shipped

import (
	"io/fs"
	"path"
	"strings"
	"testing"
)

// TestHeaders checks that the header of every embedded file has no errors and
// is complete.
func TestHeaders(t *testing.T) {
	for _, pattern := range []string{"*.jq", "check/*.jq"} {
		names, err := fs.Glob(files, pattern)
		if err != nil || len(names) == 0 {
			t.Fatal(pattern, err)
		}
		for _, name := range names {
			text, err := files.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			q, err := Read(strings.TrimSuffix(path.Base(name), ".jq"), string(text))
			if err != nil {
				t.Error(err)
				continue
			}
			check := path.Dir(name) == "check"
			switch {
			case !strings.HasPrefix(string(text), "# "+q.Name+": ") || !strings.HasSuffix(q.Summary, "."):
				t.Errorf("%s: its first line is not its name and a sentence: %s", name, q.Summary)
			case check != (q.Severity != "") || check != (q.Next != ""):
				t.Errorf("%s: checks, and only they, have a severity and say what to do next", name)
			case !named.MatchString(q.Name) || len(q.Examples) == 0:
				t.Errorf("%s: no example, or a name that can't be called", name)
			}
			for _, a := range q.Args {
				if a.Doc == "" {
					t.Errorf("%s: --%s says nothing of what it does", name, a.Name)
				}
			}
		}
	}
}

// TestNames checks that each name and alias belongs to one query only. An
// argument of several checks must be the same in all of them, since the query
// check has it only once.
func TestNames(t *testing.T) {
	whose := map[string]string{}
	for _, q := range All() {
		for _, name := range append([]string{q.Name}, q.Aliases...) {
			if other, ok := whose[name]; ok {
				t.Errorf("%s is %s and %s", name, other, q.Name)
			}
			whose[name] = q.Name
			if found, ok := Find(name, All()); !ok || found.Name != q.Name {
				t.Errorf("%s finds %s", name, found.Name)
			}
		}
	}
	args := map[string]Argument{}
	for _, q := range append(Checks(), Together(nil)) {
		for _, a := range q.Args {
			if b, ok := args[a.Name]; ok && (a.Type != b.Type || a.Default != b.Default) {
				t.Errorf("--%s of %s means something else than that of another check", a.Name, q.Name)
			}
			args[a.Name] = a
		}
	}
	if _, ok := Find("nothing", All()); ok {
		t.Error("nothing was found")
	}
}
