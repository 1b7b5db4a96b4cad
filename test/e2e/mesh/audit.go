package mesh

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// An Event is a request that the API server received from a service account in the namespace default. It comes from the
// API server's audit log.
type Event struct {
	Account  string
	Verb     string // "list", "create"
	Resource string // "pods", "pods/portforward"; "" if the path is no resource, such as /version
	Name     string // "reviews-v1-7f99cc4496-gdxfn.default"
	Code     int
}

// auditPolicy logs the account and the object of each request, only for the service accounts in the namespace default.
const auditPolicy = `
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- {level: Metadata, userGroups: ["system:serviceaccounts:default"]}
- {level: None}
`

func (m *Mesh) auditLog() string { return filepath.Join(m.logs, "audit.log") }

func (m *Mesh) writeAuditPolicy() (string, error) {
	path := filepath.Join(m.Dir, "audit.yaml")
	return path, os.WriteFile(path, []byte(auditPolicy), 0o600)
}

// Events returns all requests of these accounts so far, in the order in which they arrived.
func (m *Mesh) Events() ([]Event, error) {
	b, err := os.ReadFile(m.auditLog())
	if err != nil {
		return nil, err
	}
	var all []Event
	place := map[string]int{} // index in all by audit ID; a long request is logged twice
	for line := range bytes.Lines(b) {
		var e struct {
			AuditID, Verb  string
			User           struct{ Username string }
			ObjectRef      struct{ Resource, Subresource, Name, Namespace string }
			ResponseStatus struct{ Code int }
		}
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("%s: %w", m.auditLog(), err)
		}
		event := Event{
			Account: e.User.Username[strings.LastIndex(e.User.Username, ":")+1:], Verb: e.Verb, Code: e.ResponseStatus.Code,
			Resource: strings.TrimSuffix(e.ObjectRef.Resource+"/"+e.ObjectRef.Subresource, "/"),
			Name:     strings.Trim(e.ObjectRef.Name+"."+e.ObjectRef.Namespace, "."),
		}
		if i, told := place[e.AuditID]; told {
			all[i] = event
			continue
		}
		place[e.AuditID] = len(all)
		all = append(all, event)
	}
	return all, nil
}
