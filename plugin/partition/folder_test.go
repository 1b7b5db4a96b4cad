package partition

import (
	"net/url"
	"strings"
	"testing"
)

// TestClusterFolderIsOnePathElement checks that no cluster ID leads out of the
// folder, and that SQL engines, which decode percent-escapes, get the ID back.
func TestClusterFolderIsOnePathElement(t *testing.T) {
	for _, id := range []string{"Kubernetes", "..", "../../etc", "a/b", "a=b", "a\x00b", "\x1b[31m", "%2e%2e", "ü", strings.Repeat("ü", maxClusterID/2)} {
		folder, err := clusterFolder(id)
		if err != nil || strings.ContainsAny(folder, "/\\\x00\x1b") || len(folder) > 255 {
			t.Errorf("%q: %q, error %v", id, folder, err)
		}
		if back, err := url.PathUnescape(strings.TrimPrefix(folder, "cluster=")); err != nil || back != id {
			t.Errorf("%q: decoded %q, error %v", id, back, err)
		}
	}
	if folder, err := clusterFolder(""); err != nil || folder != "cluster=__HIVE_DEFAULT_PARTITION__" {
		t.Errorf("an unknown cluster: %q, error %v", folder, err)
	}
	if _, err := clusterFolder(strings.Repeat("a", maxClusterID+1)); err == nil {
		t.Error("a long cluster ID: no error")
	}
}
