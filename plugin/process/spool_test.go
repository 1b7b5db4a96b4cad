package process

import (
	"testing"

	"github.com/meshq/kubectl-meshq/sources/object"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

func TestQuotaOfTemporaryFiles(t *testing.T) {
	free := func(n int64) func(string) (int64, bool) { return func(string) (int64, bool) { return n, true } }
	for name, test := range map[string]struct {
		Request int64
		free    func(string) (int64, bool)
		limit   int64
		hint    string
	}{
		"a roomy disk":        {0, free(1 << 40), 4 << 30, "--spool allows more"},
		"a small disk":        {0, free(2 << 30), 1 << 30, "half of what is free in /t; --spool allows more"},
		"an unknown disk":     {0, func(string) (int64, bool) { return 0, false }, 4 << 30, "--spool allows more"},
		"--spool":             {17, free(2), 17, "--spool allows more"},
		"--spool, much":       {1 << 45, free(2), 1 << 45, "--spool allows more"},
		"a disk that is full": {0, free(0), 0, "half of what is free in /t; --spool allows more"},
	} {
		if got, want := NewQuota(test.Request, "/t", test.free), transport.NewQuota(test.limit, test.hint); !object.Equal(got, want) {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	if n, ok := FreeBytes(t.TempDir()); ok && n <= 0 {
		t.Errorf("%d bytes are free", n)
	}
}
