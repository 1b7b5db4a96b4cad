package transport

import (
	"strings"
	"testing"
)

// TestFolderNames checks that the folder name of each id is valid in any file
// system, and that the id can be restored from it.
func TestFolderNames(t *testing.T) {
	seen := map[string]string{}
	for _, id := range []string{
		"reviews-v1-7f99cc4496-gdxfn.default", "projects/1/networks/n/nodes/x", "x@127.0.0.1:15000", "[fe80::1%eth0]:80", "a%2Fb", "a/b", "%", "%zz",
		".", "..", ".hidden", "ends.", "a b", "a\\b", "a:b", "a*b?", "é", "a\x00b", "A", "a+b", "~", "sidecar~10.0.0.1~a.b~c",
	} {
		name := folderName(id)
		if !plain(name) || name[0] == '.' || strings.HasSuffix(name, ".") || strings.ContainsAny(name, "<>\"|\\ ") {
			t.Errorf("%q: %q is no name", id, name)
		}
		if got := folderID(name); got != id {
			t.Errorf("%q: %q is read as %q", id, name, got)
		}
		if was, twice := seen[name]; twice {
			t.Errorf("%q and %q are %q", was, id, name)
		}
		seen[name] = id
	}
	// folderName never returns any of these names
	for _, name := range []string{"reviews-v1.default", "10-0-0-1-15000", "a:b", "100%", "a%2fb", "%41"} {
		if got := folderID(name); got != name {
			t.Errorf("%q is read as %q", name, got)
		}
	}
}
