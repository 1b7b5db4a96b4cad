package transport

import (
	"net/url"
	"path"
	"strings"
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
