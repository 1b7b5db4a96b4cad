//go:build unix

package docs

import (
	_ "embed"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/meshq/kubectl-meshq/test/program"
)

// duckdb reads a query on standard input and prints its rows. The time zone is
// fixed, so that times print the same everywhere.
const duckdb = `
import sys, duckdb
c = duckdb.connect()
c.execute("SET TimeZone = 'UTC'")
r = c.execute(sys.stdin.read())
print(" | ".join(d[0] for d in r.description))
for row in r.fetchall():
    print(" | ".join("NULL" if v is None else str(v) for v in row))
`

var sqlBlock = regexp.MustCompile("(?s)```sql\n(.*?)```\n\n```text\n(.*?)```")

// python returns a Python that has DuckDB: that of .ci/python, where .ci/run
// installs it, or the system's. Without one the test is skipped.
func python(t *testing.T) string {
	t.Helper()
	local, err := filepath.Abs(".ci/python/bin/python")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{os.Getenv("MESHQ_PYTHON"), local, "python3"} {
		if name != "" && exec.Command(name, "-c", "import duckdb").Run() == nil {
			return name
		}
	}
	t.Skip("DuckDB is not installed: pip install duckdb")
	return ""
}

// TestSQL runs every query of docs/sql.md in DuckDB, over a recording of the demo,
// and compares the rows with the block that follows. With -update it rewrites them.
func TestSQL(t *testing.T) {
	const file = "docs/sql.md"
	py := python(t)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if out, errs, code := program.Run(t, "snapshot", "--snapshot", "demo", "--to", filepath.Join(dir, "recordings")); code != 0 {
		t.Fatalf("exit code %d: %s%s", code, out, errs)
	}
	ran, withRows := 0, 0
	got := sqlBlock.ReplaceAllStringFunc(string(text), func(block string) string {
		ran++
		query := sqlBlock.FindStringSubmatch(block)[1]
		cmd := exec.Command(py, "-c", duckdb)
		cmd.Dir, cmd.Stdin = dir, strings.NewReader(query)
		rows, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s\n%v: %s", query, err, rows)
		}
		if strings.Count(string(rows), "\n") > 1 {
			withRows++
		}
		return "```sql\n" + query + "```\n\n```text\n" + string(rows) + "```"
	})
	if ran < 6 || withRows < ran-2 {
		t.Errorf("%d queries were run, %d of them have rows", ran, withRows)
	}
	if diff := cmp.Diff(string(text), got); diff != "" {
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
			return
		}
		t.Errorf("%s (-file +now; -update rewrites it):\n%s", file, diff)
	}
}
