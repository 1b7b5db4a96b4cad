// Package unpack extracts the snapshots that come with the plugin, for tests that change it. It handles the archive's
// format only, not the content of the files.
package unpack

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/meshq/kubectl-meshq/plugin/demo"
)

// Demo extracts files of the demo snapshot into dir: all those for which want returns true. A name looks like
// "proxies/reviews-v1.default/config_dump.json".
func Demo(dir string, want func(name string) bool) error { return extract(demo.Archive, dir, want) }

// Ambient extracts files of the snapshot "demo-ambient" as Demo does.
func Ambient(dir string, want func(name string) bool) error {
	return extract(demo.Ambient, dir, want)
}

func extract(archive []byte, dir string, want func(name string) bool) error {
	z, err := zstd.NewReader(bytes.NewReader(archive))
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
		// an archive may have a folder around the files
		name := strings.TrimPrefix(h.Name, "./")
		if !isPlaced(name) {
			_, name, _ = strings.Cut(name, "/")
		}
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

// isPlaced reports whether a name begins at the root of a snapshot, not in a folder around it.
func isPlaced(name string) bool {
	first, _, _ := strings.Cut(name, "/")
	return slices.Contains([]string{"manifest.json", "kubernetes", "pilots", "proxies"}, first)
}
