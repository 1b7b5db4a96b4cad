package e2e_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// TestCapturesAsEnvoys compares trace with replicas of the proxies in two snapshots. One snapshot is of a healthy mesh.
// The other one has a proxy that is stale and one that rejects its configuration. The test is skipped if the snapshots
// don't exist.
func TestCapturesAsEnvoys(t *testing.T) {
	j := newComparer(t)
	for _, name := range []string{"bookinfo", "stale"} {
		dir := filepath.Join("../../../shared/captures", name)
		dumps, err := filepath.Glob(filepath.Join(dir, "proxies/*/config_dump.json"))
		must(t, err)
		if len(dumps) == 0 {
			t.Skip("the snapshots are not here")
		}
		ips := map[string]string{}
		for _, line := range j.ask(t, dir, nil, `.proxies[] | [.id, .ip]`) {
			var pair [2]string
			must(t, json.Unmarshal(line, &pair))
			ips[pair[0]] = pair[1]
		}
		var all []subject
		for _, path := range dumps {
			b, err := os.ReadFile(path)
			must(t, err)
			id := filepath.Base(filepath.Dir(path))
			all = append(all, subject{id, ips[id], b})
		}
		t.Run(name, func(t *testing.T) { j.compareTraces(t, dir, all) })
	}
}
