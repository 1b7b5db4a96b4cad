package transport

import (
	"errors"
	"fmt"
	"path"
	"strings"
)

// The kinds of sources, as [Manifest] has them.
const (
	KindSnapshot    = "Snapshot"
	KindBugReport   = "BugReport"
	KindConfigDump  = "ConfigDump"  // one of Envoy
	KindZtunnelDump = "ZtunnelDump" // the config dump of a ztunnel
	KindClusters    = "Clusters"    // what one Envoy says of /clusters?format=json
	KindLive        = "Live"        // asked as answers are needed, not recorded
)

// maxLooked is how many folders are looked into, at most, to find a snapshot.
const maxLooked = 256

// locate finds the folder of a tree that is a snapshot or a bug report: the
// tree itself, or below at most two folders (an archive has one on top, "./"
// aside; `istioctl bug-report` may leave two).
func locate(t tree) (prefix, kind string, err error) {
	level := []string{"."}
	for range 3 {
		var found, below []string
		for _, name := range level[:min(len(level), maxLooked)] {
			l, err := t.dir(name)
			if err != nil {
				return "", "", err
			}
			if k, err := kindOf(t, name, l); err != nil {
				return "", "", err
			} else if k != "" {
				found, kind = append(found, name), k
			}
			for _, folder := range l.folders {
				if !strings.HasPrefix(folder, ".") {
					below = append(below, path.Join(name, folder))
				}
			}
		}
		switch len(found) {
		case 0:
			level = below
		case 1:
			return found[0], kind, nil
		default:
			return "", "", fmt.Errorf("holds %d snapshots (%s): name one of them", len(found), some(found))
		}
	}
	return "", "", notSnapshot(t)
}

// kindOf tells what the folder with that listing is the top of, "" if of
// nothing known.
func kindOf(t tree, name string, l listing) (string, error) {
	if l.hasFile("manifest.json") || l.hasFolder("pilots") || l.hasFolder("kubernetes") {
		return KindSnapshot, nil
	}
	marks := 0
	for _, folder := range []string{"istio", "cluster", "proxies", "analyze"} {
		if l.hasFolder(folder) {
			marks++
		}
	}
	for _, file := range []string{"bug-report.log", "versions"} {
		if l.hasFile(file) {
			marks++
		}
	}
	if marks > 1 {
		return KindBugReport, nil
	}
	if !l.hasFolder("proxies") {
		return "", nil
	}
	return kindOfProxies(t, path.Join(name, "proxies"))
}

// kindOfProxies looks below proxies/ alone: at <id>/<file> or
// <namespace>/<pod>/<file>.
func kindOfProxies(t tree, name string) (string, error) {
	l, err := t.dir(name)
	if err != nil {
		return "", err
	}
	for _, folder := range l.folders[:min(len(l.folders), maxLooked)] {
		below, err := t.dir(path.Join(name, folder))
		if err != nil {
			return "", err
		}
		if len(below.files) > 0 {
			return KindSnapshot, nil
		}
		if len(below.folders) > 0 {
			return KindBugReport, nil
		}
	}
	return "", nil
}

func notSnapshot(t tree) error {
	l, err := t.dir(".")
	if err != nil {
		return err
	}
	names := append(l.folders[:len(l.folders):len(l.folders)], l.files...)
	if len(names) == 0 {
		return errors.New("not a snapshot: there is nothing in it")
	}
	return fmt.Errorf("not a snapshot: no manifest.json, pilots, proxies or kubernetes in it, but %s", some(names))
}

// some names the first few.
func some(names []string) string {
	const few = 4
	var out []string
	for _, n := range names[:min(len(names), few)] {
		out = append(out, printable(n))
	}
	if len(names) > few {
		out = append(out, "…")
	}
	return strings.Join(out, ", ")
}
