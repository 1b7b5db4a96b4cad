package docs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/meshq/kubectl-meshq/test/program"
)

// TestManual checks that the pages under docs are those that the plugin
// generates. With -update, as in make docs, it writes them.
func TestManual(t *testing.T) {
	dir := t.TempDir()
	if *update {
		dir = "docs"
	}
	if _, errs, code := program.Run(t, "docs", dir); code != 0 {
		t.Fatal(errs)
	}
	pages, err := filepath.Glob(filepath.Join(dir, "*.md"))
	if err != nil || len(pages) < 8 {
		t.Fatalf("%v: %q", err, pages)
	}
	for _, page := range pages {
		got, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		was, err := os.ReadFile(filepath.Join("docs", filepath.Base(page)))
		if diff := cmp.Diff(string(was), string(got)); err != nil || diff != "" {
			t.Errorf("docs/%s is old (make docs writes it): %v\n%s", filepath.Base(page), err, diff)
		}
	}
}

// TestManPagesHaveNoWarnings checks that man prints no warning about the man
// pages.
func TestManPagesHaveNoWarnings(t *testing.T) {
	dir := t.TempDir()
	if _, errs, code := program.Run(t, "docs", "--man", dir); code != 0 {
		t.Fatal(errs)
	}
	pages, err := filepath.Glob(filepath.Join(dir, "kubectl-meshq*.[17]"))
	if err != nil || len(pages) < 15 {
		t.Fatalf("%v: %q", err, pages)
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{".TH KUBECTL-MESHQ", ".SH NAME\n", ".SH DESCRIPTION\n"} {
			if !strings.Contains(string(text), part) {
				t.Errorf("%s has no %s", page, part)
			}
		}
		for i, line := range strings.Split(string(text), "\n") {
			request, _, _ := strings.Cut(line, " ")
			switch request {
			case ".TH", ".SH", ".PP", ".nf", ".fi":
			default:
				if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
					t.Errorf("%s:%d: roff would take %s for a request", page, i+1, line)
				}
			}
			if home, _ := os.UserHomeDir(); home != "" && strings.Contains(line, home) {
				t.Errorf("%s:%d: %s is of this machine", page, i+1, line)
			}
		}
	}
}
