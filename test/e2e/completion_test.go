package e2e_test

import (
	"strings"
	"testing"
	"time"
)

// completion checks the completion that kubectl passes to a shell.
func completion(t *testing.T, w *world) {
	r := w.start(t, w.least, "__complete", "meshq", "status", "rev")
	a := r.end().exits(0).within(time.Second)
	want := ""
	for _, p := range w.byID() {
		if strings.HasPrefix(p.Workload, "reviews") {
			want += p.ID() + "\n"
		}
	}
	if !strings.HasPrefix(a.out, want+":") {
		t.Errorf("offered\n%s\nwant\n%s", a.out, want)
	}
}
