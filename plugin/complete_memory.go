package plugin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/meshq/kubectl-meshq/plugin/process"
)

// rememberedFor is how long the names of a live mesh are cached.
const rememberedFor = time.Minute

// mostRemembered is the size limit of a cache file.
const mostRemembered = 16 << 20

// A memory is a cache file with names of a live mesh.
type memory struct {
	*process.World
	path string // empty: nothing is remembered
}

// remembered returns the cache file for some names of the selected mesh.
// Snapshots have none: reading one is as fast.
func (c completion) remembered(ctx context.Context, what string) memory {
	dir := cacheFolder(c.World)
	if dir == "" || len(c.Snapshots) > 0 || c.Plain() {
		return memory{}
	}
	c.once()
	k := c.Kube
	name := *k.Context
	if config, err := c.kubeconfig(ctx); err == nil && name == "" {
		name = config.CurrentContext
	}
	key, err := json.Marshal([]any{what, name, k, c.Env("KUBECONFIG"), c.AllNamespaces, c.Selector, c.Contexts, c.Pilots, c.Envoys, c.IstioNamespace, c.Revision})
	if err != nil {
		return memory{}
	}
	sum := sha256.Sum256(key) // whatever was given as a token doesn't become a file's name
	return memory{c.World, filepath.Join(dir, hex.EncodeToString(sum[:16])+".json")}
}

// cacheFolder returns the folder of the cache files, by the XDG rules; ""
// without a home directory.
func cacheFolder(w *process.World) string {
	const name = "meshq"
	if dir := w.Env("XDG_CACHE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, name, "names")
	}
	if home := w.Env("HOME"); home != "" {
		return filepath.Join(home, ".cache", name, "names")
	}
	if dir := w.Env("LOCALAPPDATA"); dir != "" {
		return filepath.Join(dir, name, "names")
	}
	return ""
}

// read returns the names, if they are recent enough.
func (m memory) read() (names []string, ok bool) {
	info, err := os.Stat(m.path)
	if m.path == "" || err != nil || info.Size() > mostRemembered || !info.Mode().IsRegular() || !m.young(info) {
		return nil, false
	}
	text, err := os.ReadFile(m.path)
	return names, err == nil && json.Unmarshal(text, &names) == nil
}

func (m memory) young(info os.FileInfo) bool {
	age := m.Now().Sub(info.ModTime())
	return age < rememberedFor && age > -rememberedFor
}

// write stores the names, and deletes old cache files. It ignores errors: the
// names are then requested again.
func (m memory) write(names []string) {
	if m.path == "" {
		return
	}
	dir := filepath.Dir(m.path)
	text, err := json.Marshal(names)
	if err != nil || os.MkdirAll(dir, 0o700) != nil {
		return
	}
	m.forget(dir)
	f, err := m.Scratch.File(dir, "names-*")
	if err != nil {
		return
	}
	_, err = f.Write(text)
	if e := f.Close(); err != nil || e != nil || os.Rename(f.Name(), m.path) != nil {
		_ = os.Remove(f.Name())
	}
	m.Scratch.Forget(f.Name())
}

func (m memory) forget(dir string) {
	files, _ := os.ReadDir(dir)
	for _, f := range files {
		info, err := f.Info()
		ours := strings.HasSuffix(f.Name(), ".json") || strings.HasPrefix(f.Name(), "names-")
		if err == nil && ours && info.Mode().IsRegular() && !m.young(info) {
			_ = os.Remove(filepath.Join(dir, f.Name()))
		}
	}
}
