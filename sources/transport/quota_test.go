package transport

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestQuotaBoundsDepotsTogether checks that two depots share the limit of one quota:
// writing to the second depot fails until the first one is closed.
func TestQuotaBoundsDepotsTogether(t *testing.T) {
	q := NewQuota(3<<20, "--spool allows more")
	noise := make([]byte, 2<<20)
	_, _ = rand.NewChaCha8([32]byte{}).Read(noise) // Read never fails here, and its result can't be compressed
	depot := func() *Depot { return NewDepot(OpenOptions{TempDir: t.TempDir(), Quota: q, MaxMemory: -1}) }
	first, second := depot(), depot()
	defer second.Close()
	if _, err := first.Spool().Write(noise); err != nil {
		t.Fatal(err)
	}
	_, err := second.Spool().Write(noise)
	var limit *limitError
	if !errors.As(err, &limit) || err.Error() != "needs more than 3 MiB for temporary files: --spool allows more" {
		t.Errorf("error %v", err)
	}
	if _, err := store(second, bytes.NewReader(noise), int64(len(noise))); !errors.As(err, &limit) {
		t.Errorf("a body of known size: error %v", err)
	}
	if info, err := second.file.Stat(); err != nil || info.Size() > 1<<20 {
		t.Errorf("%v, %v", info, err)
	}
	if err := errors.Join(first.Close(), first.Close()); err != nil {
		t.Error(err)
	}
	if _, err := store(second, bytes.NewReader(noise), int64(len(noise))); err != nil {
		t.Errorf("after a depot was closed: %v", err)
	}
	if err := second.Close(); err != nil || q.held != 0 {
		t.Errorf("%v, %d bytes are held by nobody", err, q.held)
	}
}

// TestOpenKeepsTheQuota checks that Open fails for a compressed dump if its temporary
// file would exceed the quota, and succeeds otherwise.
func TestOpenKeepsTheQuota(t *testing.T) {
	noise := make([]byte, 1<<20)
	_, _ = rand.NewChaCha8([32]byte{}).Read(noise)
	text := `{"configs":["` + strings.Map(func(r rune) rune { return 'a' + r%26 }, string(bytes.ToValidUTF8(noise, []byte("x")))) + `"]}`
	path := filepath.Join(t.TempDir(), "dump.json.gz")
	if err := os.WriteFile(path, asGzip(t, []byte(text)), 0o600); err != nil {
		t.Fatal(err)
	}
	for limit, want := range map[int64]string{8 << 10: "needs more than 8 KiB for temporary files: hint", 100 << 20: ""} {
		s, err := Open(t.Context(), path, OpenOptions{TempDir: t.TempDir(), MaxMemory: -1, Quota: NewQuota(limit, "hint")})
		if err == nil {
			s.Close()
		}
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasSuffix(err.Error(), want)) {
			t.Errorf("%d bytes: error %v", limit, err)
		}
	}
}
