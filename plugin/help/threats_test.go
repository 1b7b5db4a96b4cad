package help

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestThreatsNameTestsThatAreThere checks that every test named in the threat
// model exists in the source code.
func TestThreatsNameTestsThatAreThere(t *testing.T) {
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w*)\(`)
	there := map[string]bool{}
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range declared.FindAllStringSubmatch(string(text), -1) {
			there[m[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, threat := range threats() {
		if threat.trusted == "" || threat.worst == "" || len(threat.tests) == 0 {
			t.Errorf("%s: not all is said", threat.party)
		}
		for _, name := range threat.tests {
			if !there[name] {
				t.Errorf("%s: there is no %s", threat.party, name)
			}
		}
	}
}
