// Package unpack extracts the snapshot that comes with the plugin, for tests that change it. It handles the archive's
// format only, not the content of the files.
package unpack

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/meshq/kubectl-meshq/plugin/demo"
)

// Demo extracts files of the demo snapshot into dir: all those for which want returns true. A name looks like
// "proxies/reviews-v1.default/config_dump.json".
func Demo(dir string, want func(name string) bool) error {
	z, err := zstd.NewReader(bytes.NewReader(demo.Archive))
	if err != nil {
		return err
	}
	defer z.Close()
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		_, name, _ := strings.Cut(h.Name, "/")
		if h.Typeflag != tar.TypeReg || !want(name) {
			continue
		}
		path := filepath.Join(dir, filepath.FromSlash(name))
		text, err := io.ReadAll(r)
		if err == nil {
			err = os.MkdirAll(filepath.Dir(path), 0o700)
		}
		if err == nil {
			err = os.WriteFile(path, text, 0o600)
		}
		if err != nil {
			return err
		}
	}
}
