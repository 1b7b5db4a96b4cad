package live

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// These are the default ports.
const (
	envoyPort = 15000 // the admin port of Envoy and of ztunnel
	pilotPort = 15014 // istiod's port for metrics and debug endpoints
)

// ClusterOptions select the mesh and set the deadlines.
type ClusterOptions struct {
	Context string // the kubeconfig context, which is also the cluster's name in the document
	Config  *rest.Config
	Dialer  Dialer // opens the connections; the Cluster closes it

	IstioNamespace string // the namespace of the istiods; if empty, "istio-system"
	Revision       string // the revision of the istiods; if empty, all revisions

	// Namespace is a namespace whose pods are listed in addition to those of
	// IstioNamespace, if listing the pods of all namespaces is forbidden.
	Namespace string

	AdminPort int // the admin port of Envoys; if 0, the port in the pod's annotation, or else 15000

	// RequestTimeout limits each request, from the connection to the end of the
	// response. If it is 0, FirstByte limits the time to the first byte. After
	// that, the request fails if no byte arrives for 30 s.
	RequestTimeout time.Duration
	// the deadline for the first byte; 0 means 5 s, or 15 s for a dump that is
	// computed before its first byte is sent
	FirstByte time.Duration
	Timeout   Timeout // the function that sets deadlines; if nil, there are no deadlines

	TempDir string           // the directory of the temporary file with bodies; if empty, the system's
	Quota   *transport.Quota // limits the size of temporary files; nil means no limit
}

// A Cluster is a transport.Source of a running mesh. It reaches the mesh through
// the API server.
type Cluster struct {
	*asker
	options ClusterOptions
	dialer  Dialer
	api     *api
	ways    ways
	groups  groups

	listed         *memo[*transport.Body]
	adminAddresses *memo[map[pod]adminAddress]
	pilots         *memo[map[string]int]

	mu     sync.Mutex
	faults []*mesh.Fault
}

// NewCluster returns a source. It sends no requests. If it returns an error, the
// caller must close the dialer.
func NewCluster(o ClusterOptions) (*Cluster, error) {
	if o.Config == nil || o.Dialer == nil {
		return nil, errors.New("neither Config nor Dialer may be missing")
	}
	if o.IstioNamespace == "" {
		o.IstioNamespace = "istio-system"
	}
	api, err := newAPI(o.Config)
	if err != nil {
		return nil, err
	}
	return &Cluster{
		asker:   newAsker(newLimits(o.RequestTimeout, o.FirstByte, o.Timeout), o.TempDir, o.Quota),
		options: o, dialer: o.Dialer, api: api,
		listed: newMemo[*transport.Body](), adminAddresses: newMemo[map[pod]adminAddress](), pilots: newMemo[map[string]int](),
	}, nil
}

// Manifest returns the manifest of a live source, with the name of the
// kubeconfig context.
func (c *Cluster) Manifest() transport.Manifest {
	return transport.Manifest{Kind: transport.KindLive, Context: c.options.Context, IstioNamespace: c.options.IstioNamespace}
}

// Faults returns the faults so far. List("pods") may add one.
func (c *Cluster) Faults() []*mesh.Fault {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.faults)
}

func (c *Cluster) fault(f *mesh.Fault) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = append(c.faults, f)
}

// Proxies returns no names, because the caller finds the proxies in the lists of
// pods and of istiods' connections.
func (c *Cluster) Proxies(context.Context) ([]string, error) { return nil, nil }

// Stats returns how many requests were sent and answered so far.
func (c *Cluster) Stats() Stats { return c.stats() }

// Fetch sends a request to the admin port of a proxy. The name of the proxy has
// the form "pod.namespace". A request with a query is sent unchanged. A plain
// word, such as "clusters", is the name of a file in a snapshot and is expanded
// to a full request. Fetch ignores the hint, because the request already
// reflects it.
func (c *Cluster) Fetch(ctx context.Context, proxy, request string, _ mesh.Hint) (*transport.Body, error) {
	defer c.begin()()
	p, ok := podOf(proxy)
	if !ok {
		return nil, &absent{"no such pod", nil}
	}
	at, err := c.adminAddress(ctx, p)
	if err != nil {
		return nil, err
	}
	q, err := askAdmin(request, at.ztunnel)
	if err != nil {
		return nil, err
	}
	if at.ztunnel {
		return c.question(ctx, p, at.port, false, q, execution{not: "a ztunnel"})
	}
	return c.question(ctx, p, at.port, false, q, execution{pilotAgent(q, at.port), fmt.Sprintf("port %d", at.port)})
}

// Pilot sends a request to an istiod, for a debug endpoint or for the version. The
// name of the istiod has the form "pod.namespace".
func (c *Cluster) Pilot(ctx context.Context, pilot, endpoint string) (*transport.Body, error) {
	defer c.begin()()
	p, ok := podOf(pilot)
	if !ok {
		return nil, &absent{"no such pod", nil}
	}
	q, err := askDebug(endpoint)
	if err != nil {
		return nil, err
	}
	all, err := c.istiods(ctx)
	if err != nil {
		return nil, err
	}
	port, known := all[pilot]
	if !known {
		port = pilotPort
	}
	return c.question(ctx, p, port, true, q, execution{run: pilotDiscovery(q)})
}

// An execution is a program that runs in a pod and sends a request there. It is
// used if connections to the pod's ports are forbidden.
type execution struct {
	run *program
	not string // the name of the process in errors, if no program can reach the process; used if run is nil
}

// question sends a request to a port of a pod over a connection. If connections
// are forbidden, it runs a program in the pod that sends the request.
func (c *Cluster) question(ctx context.Context, p pod, port int, several bool, q *question, other execution) (body *transport.Body, err error) {
	to := address{
		id: p.id(), port: port, several: several,
		dial:    func(ctx context.Context) (net.Conn, error) { return c.dial(ctx, p, port) },
		release: func() { c.dialer.Release(p.namespace, p.name) },
		pause:   func(paused bool) bool { return c.dialer.Pause(p.namespace, p.name, paused) },
		drop: func() {
			if d, ok := c.dialer.(interface{ Drop(namespace, pod string) }); ok {
				d.Drop(p.namespace, p.name)
			}
		},
	}
	err = c.inTurn(ctx, to, func(l turn) error {
		body, err = c.ask(ctx, to, q, l)
		var no *dialForbiddenError
		if !errors.As(err, &no) {
			return err
		}
		if other.run == nil {
			return c.ways.to(p.namespace).onlyDial(other.not)
		}
		body, err = c.exec(ctx, p, q, *other.run, l)
		return err
	})
	return body, err
}

// dialForbiddenError is the error for a connection that the API server forbids.
type dialForbiddenError struct{ error }

// dial opens a connection to a port of a pod.
func (c *Cluster) dial(ctx context.Context, p pod, port int) (net.Conn, error) {
	w := c.ways.to(p.namespace)
	if err := w.dialForbidden(); err != nil {
		return nil, &dialForbiddenError{err}
	}
	nc, err := c.dialer.DialContext(ctx, p.namespace, p.name, port)
	switch {
	case err == nil:
		return nc, nil
	case ctx.Err() != nil:
		return nil, ended(ctx)
	case apierrors.IsForbidden(err):
		w.refuseDial(err)
		return nil, &dialForbiddenError{err}
	}
	return nil, unreached(port, err)
}

// Forget drops the faults and everything that was read about pods and istiods. It
// also drops all bodies, which can't be read afterwards. The next request reads
// the mesh again. No request may be in progress.
func (c *Cluster) Forget() {
	c.listed.forget()
	c.adminAddresses.forget()
	c.pilots.forget()
	c.mu.Lock()
	c.faults = nil
	c.mu.Unlock()
	c.forget()
}

// Close closes the dialer and frees the temporary file.
func (c *Cluster) Close() error {
	err := c.dialer.Close()
	c.api.client.CloseIdleConnections()
	return errors.Join(err, c.depot.Close())
}
