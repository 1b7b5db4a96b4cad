package mesh

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
)

// A Sync is an entry of istiod's /debug/syncz. The plugin's status of a proxy is compared with it.
type Sync struct {
	Proxy     string              `json:"proxy"`
	ProxyType string              `json:"proxy_type"`
	ClusterID string              `json:"cluster_id"`
	Version   string              `json:"istio_version"`
	Resources map[string]SyncType `json:"resources"`
}

// A SyncType is the state of one resource type: the nonces that istiod sent and that the proxy acknowledged, and the
// proxy's error if it rejected the last update.
type SyncType struct {
	Sent      string `json:"sent"`
	Acked     string `json:"acked"`
	LastError string `json:"lastError"`
}

// Word returns istioctl's word for the state.
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

// typeNames maps the end of a type URL to the type's short name.
var typeNames = map[string]string{
	"v3.Cluster": "cds", "v3.Listener": "lds", "v3.RouteConfiguration": "rds",
	"v3.ClusterLoadAssignment": "eds", "v3.Secret": "sds", "v3.TypedExtensionConfig": "ecds",
}

// Words returns istioctl's words for the types that the proxy has requested, by their short names: "cds", "lds".
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

// LastError returns the proxy's error if it rejected the last update of a type, given the type's short name.
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

// settled returns nil if the proxy has acknowledged all types that it has requested, including the four that every
// proxy requests.
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

// Syncz reads the status from istiod, sorted by proxy. It removes the connections that istioctl has made over xDS: each
// run of istioctl leaves one, which istiod reports as a sidecar "test-1.default".
func (i *Istiod) Syncz(ctx context.Context) ([]Sync, error) {
	var rows []Sync
	err := getJSON(ctx, i.URL()+"/debug/syncz", &rows)
	rows = slices.DeleteFunc(rows, func(row Sync) bool { return strings.HasPrefix(row.Proxy, "test-") })
	sort.Slice(rows, func(a, b int) bool { return rows[a].Proxy < rows[b].Proxy })
	return rows, err
}

// Synced returns nil if every proxy is connected to its istiod, to no other one, and has acknowledged all that it has
// requested. Otherwise the error says what is missing.
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
