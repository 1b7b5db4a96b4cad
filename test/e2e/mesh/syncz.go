package mesh

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
)

// A Sync is a row of istiod's /debug/syncz: the oracle for what the plugin
// says of a proxy.
type Sync struct {
	Proxy     string              `json:"proxy"`
	ProxyType string              `json:"proxy_type"`
	ClusterID string              `json:"cluster_id"`
	Version   string              `json:"istio_version"`
	Resources map[string]SyncType `json:"resources"`
}

// A SyncType is what istiod says of one type of resource, by type URL: the
// nonces that it sent and that the proxy acknowledged, and what the proxy
// answered when it refused the last.
type SyncType struct {
	Sent      string `json:"sent"`
	Acked     string `json:"acked"`
	LastError string `json:"lastError"`
}

// Word is istioctl's word for it.
func (t SyncType) Word() string {
	switch {
	case t.LastError != "":
		return "ERROR"
	case t.Sent == "":
		return "NOT SENT"
	case t.Sent == t.Acked:
		return "SYNCED"
	}
	return "STALE"
}

// typeNames are the types' short names, by the end of their URLs.
var typeNames = map[string]string{
	"v3.Cluster": "cds", "v3.Listener": "lds", "v3.RouteConfiguration": "rds",
	"v3.ClusterLoadAssignment": "eds", "v3.Secret": "sds", "v3.TypedExtensionConfig": "ecds",
}

// Words are istioctl's words for the types that the proxy asked for, by their
// short names: "cds", "lds".
func (s Sync) Words() map[string]string {
	words := map[string]string{}
	for url, t := range s.Resources {
		for end, short := range typeNames {
			if strings.HasSuffix(url, end) {
				words[short] = t.Word()
			}
		}
	}
	return words
}

// LastError is what the proxy answered when it refused the last of a type, by
// the type's short name.
func (s Sync) LastError(short string) string {
	for url, t := range s.Resources {
		for end, name := range typeNames {
			if name == short && strings.HasSuffix(url, end) {
				return t.LastError
			}
		}
	}
	return ""
}

// settled tells whether the proxy has taken all that it asked for, at least
// the four types that every proxy asks for.
func (s Sync) settled() error {
	words := s.Words()
	for _, short := range []string{"cds", "eds", "lds", "rds"} {
		if _, ok := words[short]; !ok {
			return fmt.Errorf("%s: %s is not asked for", s.Proxy, short)
		}
	}
	for short, word := range words {
		if word != "SYNCED" {
			return fmt.Errorf("%s: %s is %s", s.Proxy, short, word)
		}
	}
	return nil
}

// Syncz asks the istiod itself. Its rows are sorted by proxy. The connections
// that istioctl made to ask over xDS are not among them: each of its questions
// leaves one, which istiod takes for a sidecar "test-1.default".
func (i *Istiod) Syncz(ctx context.Context) ([]Sync, error) {
	var rows []Sync
	err := getJSON(ctx, i.URL()+"/debug/syncz", &rows)
	rows = slices.DeleteFunc(rows, func(row Sync) bool { return strings.HasPrefix(row.Proxy, "test-") })
	sort.Slice(rows, func(a, b int) bool { return rows[a].Proxy < rows[b].Proxy })
	return rows, err
}

// Synced tells whether every proxy is connected to its istiod, to no other,
// and has taken all that it asked for; the error says what is missing.
func (m *Mesh) Synced(ctx context.Context) error {
	pilots := map[string]*Istiod{}
	for _, i := range m.Istiods {
		if !i.Running() {
			continue
		}
		rows, err := i.Syncz(ctx)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if pilots[row.Proxy] != nil {
				return fmt.Errorf("%s: connected to two istiods", row.Proxy)
			}
			if pilots[row.Proxy] = i; row.settled() != nil {
				return row.settled()
			}
		}
	}
	for _, p := range m.Proxies {
		if pilots[p.ID()] != p.Istiod {
			return fmt.Errorf("%s: not connected to %s", p.ID(), p.Istiod.Pod)
		}
	}
	return nil
}
