//go:build linux

package release

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// tarFiles returns the regular files of a tar, and the headers of all entries.
func tarFiles(t *testing.T, r io.Reader) (files map[string][]byte, headers map[string]*tar.Header) {
	t.Helper()
	files, headers = map[string][]byte{}, map[string]*tar.Header{}
	for in := tar.NewReader(r); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return files, headers
		}
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(h.Name, "/")
		headers[name] = h
		if h.Typeflag == tar.TypeReg {
			if files[name], err = io.ReadAll(in); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestImageRuns builds the image of this machine's platform, checks it against the
// OCI image specification (each digest and size, the diff ID of the layer), and runs
// the entrypoint from the unpacked layer.
func TestImageRuns(t *testing.T) {
	for _, tool := range []string{"jq", "tar", "sha256sum", "git"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("no " + tool + " on PATH")
		}
	}
	dir := t.TempDir()
	binary := filepath.Join(dir, "kubectl-meshq")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	cas := filepath.Join(dir, "ca.crt")
	if err := os.WriteFile(cas, []byte("-----BEGIN CERTIFICATE-----\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var built [2][]byte
	for i := range built {
		out := filepath.Join(dir, fmt.Sprint(i)+".oci.tar")
		cmd := exec.Command("scripts/image", binary, runtime.GOARCH, "v1.2.3", out)
		cmd.Env = append(os.Environ(), "CA_CERTIFICATES="+cas, "SOURCE_DATE_EPOCH=1700000000")
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, said)
		}
		var err error
		if built[i], err = os.ReadFile(out); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(built[0], built[1]) {
		t.Error("two builds of the same binary differ")
	}
	layout, _ := tarFiles(t, bytes.NewReader(built[0]))
	if string(bytes.TrimSpace(layout["oci-layout"])) != `{"imageLayoutVersion":"1.0.0"}` {
		t.Errorf("oci-layout: %s", layout["oci-layout"])
	}

	type descriptor struct {
		Digest   string
		Size     int
		Platform struct{ Architecture, OS string }
	}
	read := func(d descriptor, into any) []byte {
		text := layout["blobs/sha256/"+strings.TrimPrefix(d.Digest, "sha256:")]
		if d.Digest != fmt.Sprintf("sha256:%x", sha256.Sum256(text)) || d.Size != len(text) {
			t.Fatalf("%+v: another digest or size", d)
		}
		if into != nil {
			if err := json.Unmarshal(text, into); err != nil {
				t.Fatal(err)
			}
		}
		return text
	}
	var index struct{ Manifests []descriptor }
	if err := json.Unmarshal(layout["index.json"], &index); err != nil || len(index.Manifests) != 1 || index.Manifests[0].Platform.Architecture != runtime.GOARCH {
		t.Fatalf("index.json: %v: %+v", err, index)
	}
	var manifest struct {
		Config descriptor
		Layers []descriptor
	}
	read(index.Manifests[0], &manifest)
	var config struct {
		Architecture, OS string
		Config           struct {
			User            string
			Entrypoint, Env []string
		}
		Rootfs struct {
			DiffIDs []string `json:"diff_ids"`
		}
	}
	read(manifest.Config, &config)
	if len(manifest.Layers) != 1 || config.OS != "linux" || config.Architecture != runtime.GOARCH || config.Config.User != "65532:65532" || len(config.Config.Entrypoint) != 1 {
		t.Fatalf("%+v %+v", manifest, config)
	}
	z, err := gzip.NewReader(bytes.NewReader(read(manifest.Layers[0], nil)))
	if err != nil {
		t.Fatal(err)
	}
	layer, err := io.ReadAll(z)
	if err != nil || !slices.Equal(config.Rootfs.DiffIDs, []string{fmt.Sprintf("sha256:%x", sha256.Sum256(layer))}) {
		t.Errorf("diff IDs %q, error %v", config.Rootfs.DiffIDs, err)
	}
	files, headers := tarFiles(t, bytes.NewReader(layer))
	for name, h := range headers {
		if h.Uid != 0 || h.Gid != 0 || h.Mode&0o022 != 0 && name != "tmp" || h.Mode&0o6000 != 0 {
			t.Errorf("%s: owner %d:%d, mode %o", name, h.Uid, h.Gid, h.Mode)
		}
	}
	if len(files) != 4 || len(files["etc/ssl/certs/ca-certificates.crt"]) == 0 || !strings.Contains(string(files["etc/passwd"]), ":65532:65532:") || headers["tmp"] == nil || headers["tmp"].Mode != 0o1777 {
		t.Errorf("%d files; passwd %q; tmp %+v", len(files), files["etc/passwd"], headers["tmp"])
	}
	entry := strings.TrimPrefix(config.Config.Entrypoint[0], "/")
	program, err := elf.NewFile(bytes.NewReader(files[entry]))
	if err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(program.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		t.Error("the program is not static")
	}
	root := filepath.Join(dir, "root")
	path := filepath.Join(root, entry)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, files[entry], 0o755)); err != nil {
		t.Fatal(err)
	}
	run := exec.Command(path, "--snapshot", "demo", ".proxies | length")
	run.Env, run.Dir = config.Config.Env, root
	if said, err := run.CombinedOutput(); err != nil || string(said) != "7\n" {
		t.Errorf("%v: %s", err, said)
	}
}
