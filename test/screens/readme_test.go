//go:build unix

package screens

import (
	"os"
	"strings"
	"testing"
)

// TestReadmeShowsRealScreens checks that the screens in the README are the
// beginnings of golden screens of 80 columns.
func TestReadmeShowsRealScreens(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, block := range strings.Split(string(readme), "```text\n$ kubectl-meshq ")[1:] {
		block, _, _ = strings.Cut("$ kubectl-meshq "+block, "```")
		found := false
		for _, name := range []string{"status", "check"} {
			screen, err := os.ReadFile("test/screens/testdata/" + name + ".80.txt")
			if err != nil {
				t.Fatal(err)
			}
			found = found || strings.HasPrefix(string(screen), block)
		}
		if seen++; !found {
			t.Errorf("no terminal shows\n%s", block)
		}
	}
	if seen != 2 {
		t.Errorf("%d screens", seen)
	}
}
