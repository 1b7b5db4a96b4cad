package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"time"

	"github.com/meshq/kubectl-meshq/test/e2e/mesh"
)

// A cost is what answering a question costs a real Envoy, whose admin port answers one request at a time.
type cost struct {
	Question string  `json:"question"`
	Asked    int     `json:"asked"`
	Bytes    int     `json:"bytes"`
	Millis   float64 `json:"millis"` // until all answers have arrived; the median of several turns
}

const (
	manyServices = 1000
	turns        = 7
	fullDump     = "/config_dump?include_eds"
)

var questions = []string{
	`.proxy("reviews-v1").cluster("outbound|9090||many-0500.default.svc.cluster.local")`,
	`.proxy("reviews-v1").route("9080")`,
	`.proxy("reviews-v1").endpoints[] | select(.cluster == "outbound|9090||many-0500.default.svc.cluster.local") | .outlier`,
	`.proxy("reviews-v1").clusters | length`,
	`[.proxy("reviews-v1").clusters[].name] | length`,
	`[.proxy("reviews-v1").clusters[] | tojson] | length`,
}

// costs runs the plugin's questions about a proxy of a large mesh. It then sends the same requests to the Envoy itself,
// in turns with a request for the full config dump, and measures them.
func costs(ctx context.Context, m *mesh.Mesh, plugin string, out io.Writer) error {
	p, err := m.Find("reviews-v1")
	if err != nil {
		return err
	}
	if err := m.CreateServices(ctx, manyServices, p); err != nil {
		return err
	}
	if err := m.AwaitSynced(ctx); err != nil {
		return err
	}
	all := []cost{{Question: "GET " + fullDump, Asked: 1}}
	paths := [][]string{{fullDump}}
	for _, question := range questions {
		asked, err := requestsOf(ctx, m, p, plugin, question)
		if err != nil {
			return err
		}
		all, paths = append(all, cost{Question: question, Asked: len(asked)}), append(paths, asked)
	}
	took := make([][]time.Duration, len(all))
	for range turns {
		for i := range all {
			begun := time.Now()
			all[i].Bytes = 0
			for _, path := range paths[i] {
				n, err := download(ctx, p.URL()+path)
				if err != nil {
					return err
				}
				all[i].Bytes += n
			}
			took[i] = append(took[i], time.Since(begun))
		}
	}
	for i := range all {
		slices.SortFunc(took[i], func(a, b time.Duration) int { return cmp.Compare(a, b) })
		all[i].Millis = float64(took[i][turns/2].Microseconds()) / 1e3
	}
	e := json.NewEncoder(out)
	e.SetIndent("", " ")
	return e.Encode(all)
}

// requestsOf returns the paths that the plugin requests from the Envoy for a question, from Envoy's access log.
func requestsOf(ctx context.Context, m *mesh.Mesh, p *mesh.Proxy, plugin, question string) (paths []string, err error) {
	before, err := p.Requests(ctx)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, plugin, question, "--kubeconfig", m.Kubeconfig, "-o", "json")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s: %w", question, err)
	}
	after, err := p.Requests(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range after[len(before):] {
		paths = append(paths, r.Path)
	}
	return paths, nil
}

func download(ctx context.Context, url string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", url, resp.Status)
	}
	return int(n), err
}
