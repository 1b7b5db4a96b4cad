package transport

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// A file is a name, in the folder of a process, under which the answer to a request
// may be stored.
type file struct {
	name string
	form Form
}

// snapshotFiles returns the files in which a snapshot may store a proxy's answer;
// the first one that exists is used. The answers to requests that aren't listed here
// are JSON or text.
func snapshotFiles(request string) []file {
	name, _, _ := strings.Cut(request, "?")
	switch name {
	case "config_dump", "server_info", "certs":
		return []file{{name + ".json", JSON}}
	case "logging", "ready":
		return []file{{name + ".txt", Text}}
	}
	if !plain(name) {
		return nil
	}
	return []file{{name + ".json", JSON}, {name + ".txt", Text}}
}

// bugReportFiles returns the files in which a bug report may store a proxy's answer.
// Each file has the name of the request that it answers.
func bugReportFiles(request string) []file {
	name, _, _ := strings.Cut(request, "?")
	switch name {
	case "config_dump":
		return []file{{"config_dump?include_eds", JSON}, {"config_dump", JSON}}
	case "server_info", "certs", "memory", "runtime":
		return []file{{name, JSON}}
	case "clusters", "listeners", "logging", "ready", "stats/prometheus":
		return []file{{name, Text}}
	}
	return nil // "stats" has no file, since bug reports have the statistics only in Prometheus' format
}

// snapshotEndpoint returns the files in which a snapshot may store a Pilot's answer.
func snapshotEndpoint(endpoint string) []file {
	name, query, _ := strings.Cut(endpoint, "?")
	if !plain(name) {
		return nil
	}
	if proxy := proxyID(query); proxy != "" {
		if !plain(proxy) {
			return nil
		}
		return []file{{name + "." + proxy + ".json", JSON}}
	}
	if name == "version" {
		return []file{{"version.txt", Text}}
	}
	return []file{{name + ".json", JSON}}
}

// bugReportEndpoint returns the files in which a bug report may store a Pilot's
// answer.
func bugReportEndpoint(endpoint string) []file {
	name, query, _ := strings.Cut(endpoint, "?")
	if !plain(name) {
		return nil
	}
	if name == "metrics" || name == "version" {
		return []file{{name, Text}}
	}
	if proxy := proxyID(query); proxy != "" {
		if !plain(proxy) {
			return nil
		}
		return []file{{"debug/" + name + "?proxyID=" + proxy, JSON}}
	}
	return []file{{"debug/" + name, JSON}}
}

func proxyID(query string) string {
	values, err := url.ParseQuery(query)
	if err != nil {
		return "?" // this name matches no file
	}
	return values.Get("proxyID")
}

// plain reports whether a name is a single path element that stays inside its folder
// on every operating system.
func plain(name string) bool {
	return name != "" && name != "." && name != ".." && !strings.ContainsAny(name, "/\\:?*\x00") && path.Base(name) == name
}

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
