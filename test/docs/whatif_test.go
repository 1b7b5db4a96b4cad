//go:build unix

package docs

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshq/kubectl-meshq/test/istiod"
	"github.com/meshq/kubectl-meshq/test/program"
)

// TestWhatIf runs the commands in the blocks "console whatif" on the demo, with the
// changes in testdata/whatif, and compares their output with the blocks'. With -update
// it rewrites the files. It needs an istiod, which "make e2e" builds.
func TestWhatIf(t *testing.T) {
	binary := istiod.Path()
	if binary == "" {
		t.Skip("no istiod binary: run make e2e once")
	}
	for file, least := range map[string]int{"README.md": 1, "docs/whatif.md": 3} {
		t.Run(file, func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			ran, inBlock := 0, false
			for line := range strings.Lines(string(text)) {
				switch {
				case strings.TrimSpace(line) == "```console whatif":
					inBlock = true
				case strings.HasPrefix(line, "```"):
					inBlock = false
				case inBlock && strings.HasPrefix(line, "$ "):
					ran++
					fmt.Fprint(&out, line, program.Transcript(t, whatIfWords(line, binary)))
					continue
				case inBlock:
					continue // old output, which is replaced
				}
				out.WriteString(line)
			}
			if ran < least {
				t.Errorf("only %d commands were run", ran)
			}
			if diff := cmp.Diff(string(text), out.String()); diff != "" {
				if *update {
					if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
						t.Fatal(err)
					}
					return
				}
				t.Errorf("%s says otherwise (-written +meshq):\n%s", file, diff)
			}
		})
	}
}

// whatIfWords returns the words of a command line, with the files in testdata/whatif,
// the demo and an istiod.
func whatIfWords(line, binary string) []string {
	words := program.Words(strings.TrimPrefix(strings.TrimSpace(line), "$ kubectl meshq"))
	for i, w := range words {
		if strings.HasSuffix(w, ".yaml") {
			words[i] = filepath.Join("testdata", "whatif", w)
		}
	}
	flag := "--istiod-env"
	if slices.Contains(words, "whatif") {
		flag = "--env"
	}
	words = append(words, "--snapshot", "demo", "--istiod", binary)
	for _, v := range istiod.Env {
		words = append(words, flag, v)
	}
	return words
}
