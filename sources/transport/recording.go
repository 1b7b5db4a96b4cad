package transport

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"time"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// ManifestFile is the name of a snapshot's manifest.
const ManifestFile = "manifest.json"

// PilotFile returns the name of the file in which a snapshot stores a Pilot's answer
// of this form, or "" if snapshots don't store it.
func PilotFile(pilot, endpoint string, form Form) string {
	return fileOf("pilots", pilot, snapshotEndpoint(endpoint), form)
}

// ProxyFile returns the name of the file in which a snapshot stores a proxy's answer
// of this form, or "" if snapshots don't store it.
func ProxyFile(proxy, request string, form Form) string {
	return fileOf("proxies", folderName(proxy), snapshotFiles(request), form)
}

// ListFile returns the name of the file in which a snapshot stores the objects of a
// resource, in JSON, or "" if snapshots don't store them.
func ListFile(resource string) string {
	if !plain(resource) {
		return ""
	}
	return path.Join("kubernetes", resource+".json")
}

func fileOf(folder, whose string, files []file, form Form) string {
	i := slices.IndexFunc(files, func(f file) bool { return f.form == form })
	if i < 0 || !plain(whose) || !plain(files[i].name) {
		return ""
	}
	return path.Join(folder, whose, files[i].name)
}

// JSON returns the content of a snapshot's manifest file. faults are the parts that
// could not be recorded; of very many faults, only the first ones are written.
func (m Manifest) JSON(faults []*mesh.Fault) ([]byte, error) {
	type fault struct {
		Proxy   string `json:"proxy,omitempty"`
		Subject string `json:"subject,omitempty"`
		Section string `json:"section,omitempty"`
		Message string `json:"message"`
	}
	const most = 1000 // the number of faults that keeps the manifest small
	var told []fault
	for i, f := range faults {
		if i == most {
			told = append(told, fault{Message: fmt.Sprintf("and %d more", len(faults)-most)})
			break
		}
		told = append(told, fault{f.Proxy, f.Subject, f.Section, f.Fact()})
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(struct {
		Kind           string   `json:"kind"`
		Version        int      `json:"version"`
		TakenAt        string   `json:"takenAt"`
		Context        string   `json:"context,omitempty"`
		IstioNamespace string   `json:"istioNamespace,omitempty"`
		Redacted       []string `json:"redacted,omitempty"`
		Keep           []string `json:"keep,omitempty"`
		RedactKey      string   `json:"redactKey,omitempty"`
		Partial        bool     `json:"partial,omitempty"`
		Faults         []fault  `json:"faults,omitempty"`
	}{KindSnapshot, layoutVersion, m.TakenAt.UTC().Format(time.RFC3339), m.Context, m.IstioNamespace, m.Redacted, m.Keep, m.RedactKey, m.Partial, told})
	return out.Bytes(), err
}
