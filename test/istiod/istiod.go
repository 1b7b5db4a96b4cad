// Package istiod finds the istiod binary that tests of predictions run. A fresh
// machine has none; "make e2e" builds one.
package istiod

import (
	"os"
	"path/filepath"
)

// Env are the variables with which the istiods of the recorded meshes ran.
var Env = []string{"PILOT_ENABLE_METADATA_EXCHANGE=false", "PILOT_ENABLE_ALPN_FILTER=false"}

// Path returns the path of an istiod binary: MESHQ_ISTIOD, or the newest one that
// the end-to-end tests have built. It returns "" if there is none.
func Path() string {
	if path := os.Getenv("MESHQ_ISTIOD"); path != "" {
		return path
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	found, _ := filepath.Glob(filepath.Join(cache, "meshq-e2e", "istiod-*", "pilot-discovery")) // the pattern is valid
	newest, last := "", int64(0)
	for _, path := range found {
		if info, err := os.Stat(path); err == nil && info.ModTime().Unix() >= last {
			newest, last = path, info.ModTime().Unix()
		}
	}
	return newest
}
