package transport

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// A bugReport is a [Source] that reads the output of `istioctl bug-report`:
//
//	istio/<namespace>/<pod>/debug/<endpoint>     istiod's response
//	proxies/<namespace>/<pod>/<request>          Envoy's response, "config_dump?include_eds"
//	cluster/<name>                               Kubernetes objects, see lists
//
// Envoy's /clusters and /listeners are in Envoy's text format. Envoy has already
// redacted private keys.
type bugReport struct {
	recorded
	lists *lists
}

func newBugReport(ctx context.Context, r recorded, l *ledger) *bugReport {
	cluster := path.Join(r.prefix, "cluster")
	b := &bugReport{recorded: r, lists: newLists(ctx, r.tree, cluster)}
	b.manifest = Manifest{Kind: KindBugReport, TakenAt: r.tree.newest().UTC()}
	b.manifest.Context = firstLine(ctx, r.tree, path.Join(cluster, "cluster-context"))
	if namespaces, _ := b.folders("istio"); len(namespaces) == 1 {
		b.manifest.IstioNamespace = namespaces[0]
	}
	b.faults = l.faults
	return b
}

// firstLine returns the first line of a small file. It returns "" if the file
// can't be read.
func firstLine(ctx context.Context, t tree, name string) string {
	b, err := t.open(ctx, name)
	if err != nil {
		return ""
	}
	head := make([]byte, min(b.Size(), 1024))
	if readFull(b, head, 0) != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(head), "\n")
	return strings.TrimSpace(line)
}

func (b *bugReport) Pilots(context.Context) ([]string, error) { return b.pods("istio") }

func (b *bugReport) Proxies(context.Context) ([]string, error) { return b.pods("proxies") }

// pods returns the names <pod>.<namespace> of the folders <namespace>/<pod> in
// dir.
func (b *bugReport) pods(dir string) ([]string, error) {
	namespaces, err := b.folders(dir)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, namespace := range namespaces {
		pods, err := b.folders(path.Join(dir, namespace))
		if err != nil {
			return nil, err
		}
		for _, pod := range pods {
			out = append(out, pod+"."+namespace)
		}
	}
	slices.Sort(out)
	return out, nil
}

// podFolder returns the folder that contains the responses of <pod>.<namespace>.
// It splits the name at the last dot, since the name of a pod may contain dots and
// a namespace can't.
func podFolder(dir, id string) (string, bool) {
	i := strings.LastIndexByte(id, '.')
	if i < 0 || !plain(id[:i]) || !plain(id[i+1:]) {
		return "", false
	}
	return path.Join(dir, id[i+1:], id[:i]), true
}

func (b *bugReport) Pilot(ctx context.Context, pilot, endpoint string) (*Body, error) {
	dir, ok := podFolder("istio", pilot)
	if !ok {
		return nil, missing{}
	}
	return b.first(ctx, dir, bugReportEndpoint(endpoint))
}

func (b *bugReport) Fetch(ctx context.Context, proxy, request string, _ mesh.Hint) (*Body, error) {
	dir, ok := podFolder("proxies", proxy)
	if !ok {
		return nil, missing{}
	}
	return b.first(ctx, dir, bugReportFiles(request))
}

func (b *bugReport) List(ctx context.Context, resource string) (*Body, error) {
	return b.lists.list(ctx, resource)
}
