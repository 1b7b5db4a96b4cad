package mesh

import (
	"errors"
	"testing"
)

// TestFaultSaysWhoseItIsOnce checks that the text of a fault contains the
// proxy's name only once.
func TestFaultSaysWhoseItIsOnce(t *testing.T) {
	for want, f := range map[string]Fault{
		"a.b: clusters: port 15000 refused": {Proxy: "a.b", Section: "clusters", Err: errors.New("port 15000 refused")},
		"h:1: syncz: refused":               {Subject: "h:1", Section: "syncz", Err: errors.New("h:1: refused")},
		"h:1: h:2: refused":                 {Proxy: "h:1", Err: errors.New("h:2: refused")},
		"pods: forbidden":                   {Section: "pods", Err: errors.New("forbidden")},
	} {
		if got := f.Error(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
