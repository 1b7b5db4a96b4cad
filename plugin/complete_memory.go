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

// rememberedFor is how long names of a live mesh are cached.
const rememberedFor = time.Minute

// mostRemembered is the size limit of a cache file, in bytes.
const mostRemembered = 16 << 20

// A memory is a cache file that contains names of a live mesh.
type memory struct {
	*process.World
	path string // the path of the file; empty means that nothing is cached
}

// remembered returns the cache file for names of the mesh that the flags select.
// Names in snapshots are not cached, because reading a snapshot is as fast.
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
	sum := sha256.Sum256(key) // hash the key, so that a token among the flags doesn't become the name of a file
	return memory{c.World, filepath.Join(dir, hex.EncodeToString(sum[:16])+".json")}
}

// cacheFolder returns the folder of the cache files, which the XDG rules determine.
// It returns "" if there is no home directory.
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

// read returns the cached names. ok is false if there are none, or if they are too
// old.
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

// write caches the names and deletes old cache files. It ignores errors: without a
// cache, the names are requested again the next time.
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
