package transport

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"
)

// These are the kinds of sources in a [Manifest].
const (
	KindSnapshot    = "Snapshot"
	KindBugReport   = "BugReport"
	KindConfigDump  = "ConfigDump"  // the config dump of an Envoy
	KindZtunnelDump = "ZtunnelDump" // the config dump of a ztunnel
	KindClusters    = "Clusters"    // one Envoy's response to /clusters?format=json
	KindLive        = "Live"        // a running mesh
	KindWhatIf      = "WhatIf"      // a mesh with predicted configuration of its proxies
)

// maxLooked is the maximum number of folders that are searched for a snapshot.
const maxLooked = 256

// locate finds the folder of a tree that is a snapshot or a bug report. It may be
// the tree itself, or inside one or two outer folders. An archive has one outer
// folder, not counting "./", and `istioctl bug-report` may write two.
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

// kindOf returns the kind of a source from the files and folders at its top level.
// It returns "" if they don't identify a kind.
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

// kindOfProxies returns the kind of a source that has only the folder proxies/. A
// snapshot has files proxies/<id>/<file>, and a bug report has
// proxies/<namespace>/<pod>/<file>.
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

// some returns the first few names as one text.
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

// folderName returns the name of the folder in which a snapshot stores a proxy.
// This is the unchanged id if it has the form pod.namespace. Other ids may be a
// path or contain a port; in those, folderName escapes the characters that a file
// system may refuse, as in a URL ("%2F").
func folderName(id string) string {
	var b strings.Builder
	for i := range len(id) {
		c := id[i]
		letter := '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c >= 0x80
		edge := i == 0 || i == len(id)-1 // a dot at the start hides a folder, and Windows removes a dot at the end
		if letter || strings.IndexByte("-_~@+,=", c) >= 0 || c == '.' && !edge {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte("0123456789ABCDEF"[c>>4])
		b.WriteByte("0123456789ABCDEF"[c&15])
	}
	return b.String()
}

// folderID is the inverse of folderName: it returns the id of the proxy that is
// stored in a folder. A name that folderName never returns is the id itself.
func folderID(name string) string {
	if id, err := url.PathUnescape(name); err == nil && folderName(id) == name {
		return id
	}
	return name
}
