package transport

import (
	"net/url"
	"path"
	"strings"
)

// A file is where the answer to a request may lie, below the folder of whom
// it was asked.
type file struct {
	name string
	form Form
}

// snapshotFiles gives where a snapshot has a proxy's answer; the first file
// that is there has it. Requests that are not in this table are JSON, or text.
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

// bugReportFiles gives where a bug report has a proxy's answer: each file has
// the name of the request that it answers.
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
	return nil // "stats" too: there are only Prometheus' words
}

// snapshotEndpoint gives where a snapshot has a Pilot's answer.
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

// bugReportEndpoint gives where a bug report has a Pilot's answer.
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
		return "?" // no name of a file
	}
	return values.Get("proxyID")
}

// plain tells whether a name is that of one file or folder, and stays below
// its folder on every system.
func plain(name string) bool {
	return name != "" && name != "." && name != ".." && !strings.ContainsAny(name, "/\\:?*\x00") && path.Base(name) == name
}
