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

// A file is the name of a file that may contain the response to a request. The
// file is in the folder of one istiod or proxy.
type file struct {
	name string
	form Form
}

// snapshotFiles returns the names of the files in which a snapshot may store a
// proxy's response. The first one that exists is used. Responses to requests
// that aren't listed here are JSON or text.
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

// bugReportFiles returns the names of the files in which a bug report may store
// a proxy's response. Each name is that of a request.
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
	return nil // bug reports have the statistics only in Prometheus' format
}

// snapshotEndpoint returns the names of the files in which a snapshot may store
// an istiod's response.
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

// bugReportEndpoint returns the names of the files in which a bug report may
// store an istiod's response.
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
		return "?" // no file has this name
	}
	return values.Get("proxyID")
}

// plain reports whether a name is a single path element on every operating system,
// so that it can't lead out of its folder.
func plain(name string) bool {
	return name != "" && name != "." && name != ".." && !strings.ContainsAny(name, "/\\:?*\x00") && path.Base(name) == name
}

// ManifestFile is the name of a snapshot's manifest.
const ManifestFile = "manifest.json"

// PilotFile returns the name of the file in which a snapshot stores an istiod's
// response of the given form (JSON, YAML or text). It returns "" if snapshots
// don't store the response.
func PilotFile(pilot, endpoint string, form Form) string {
	return fileOf("pilots", pilot, snapshotEndpoint(endpoint), form)
}

// ProxyFile returns the name of the file in which a snapshot stores a proxy's
// response of the given form (JSON, YAML or text). It returns "" if snapshots
// don't store the response.
func ProxyFile(proxy, request string, form Form) string {
	return fileOf("proxies", folderName(proxy), snapshotFiles(request), form)
}

// ListFile returns the name of the file in which a snapshot stores the objects of
// a resource as JSON. It returns "" if snapshots don't store the resource.
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

// JSON returns the content of a snapshot's manifest file. faults are the parts
// that could not be recorded. If there are very many faults, only the first ones
// are included.
func (m Manifest) JSON(faults []*mesh.Fault) ([]byte, error) {
	type fault struct {
		Proxy   string `json:"proxy,omitempty"`
		Subject string `json:"subject,omitempty"`
		Section string `json:"section,omitempty"`
		Message string `json:"message"`
	}
	const most = 1000 // the maximum number of faults in a manifest
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
		WhatIf         []string `json:"whatIf,omitempty"`
		Faults         []fault  `json:"faults,omitempty"`
	}{KindSnapshot, layoutVersion, m.TakenAt.UTC().Format(time.RFC3339), m.Context, m.IstioNamespace, m.Redacted, m.Keep, m.RedactKey, m.Partial, m.WhatIf, told})
	return out.Bytes(), err
}
