package fit

import (
	"regexp"
	"strings"
)

// inCluster matches the end of the DNS name of a Service: ".svc" and the
// cluster's domain.
var inCluster = regexp.MustCompile(`\.svc\.([a-z0-9-]+(?:\.[a-z0-9-]+)*)`)

// ofPod matches the name of a pod that a Deployment or a DaemonSet created,
// possibly followed by its namespace. The suffixes that Kubernetes generates
// have only these letters (apimachinery's SafeEncodeString and
// rand.SafeEncodeString).
var ofPod = regexp.MustCompile(`^([a-z0-9](?:[-a-z0-9]*?[a-z0-9])?)(?:-[bcdfghjklmnpqrstvwxz2456789]{6,10})?-[bcdfghjklmnpqrstvwxz2456789]{5}(\.[a-z0-9-]+)?$`)

// A names shortens the names in one column. Two different names never become
// the same.
type names struct {
	domain  string              // the cluster's domain that all DNS names of the column end in; empty if there is none
	claimed map[string]string   // the full name of each short name
	shared  map[string]struct{} // the short names of several full names
}

// newNames returns the names of a column of rows.
func newNames(rows [][]string, column int) *names {
	n := &names{claimed: map[string]string{}, shared: map[string]struct{}{}}
	for _, cells := range rows {
		for _, m := range inCluster.FindAllStringSubmatch(cells[column], -1) {
			if n.domain != "" && n.domain != m[1] {
				n.domain = ""
				return n
			}
			n.domain = m[1]
		}
	}
	return n
}

// learn records the names of a column of rows, so that short returns different
// texts for them.
func (n *names) learn(rows [][]string, column int) {
	for _, cells := range rows {
		full := cells[column]
		short := n.shorten(full)
		if claimed, ok := n.claimed[short]; ok && claimed != full {
			n.shared[short] = struct{}{}
			continue
		}
		n.claimed[short] = full
	}
}

// short returns the short form of a name, or the name if another one has the
// same short form.
func (n *names) short(full string) string {
	short := n.shorten(full)
	if _, shared := n.shared[short]; shared {
		return full
	}
	return short
}

func (n *names) shorten(full string) string {
	if n.domain != "" {
		full = strings.ReplaceAll(full, ".svc."+n.domain, "")
	}
	if m := ofPod.FindStringSubmatch(full); m != nil {
		return m[1] + m[2]
	}
	return full
}
