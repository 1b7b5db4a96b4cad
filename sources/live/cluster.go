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

// The usual ports.
const (
	envoyPort = 15000 // of Envoy's and ztunnel's admin
	pilotPort = 15014 // of istiod's metrics and debug endpoints
)

// ClusterOptions say which mesh is asked, and how long it is waited for.
type ClusterOptions struct {
	Context string // of kubeconfig; what the document calls the cluster
	Config  *rest.Config
	Dialer  Dialer // the Cluster's from NewCluster on: closed with it

	IstioNamespace string // where the istiods are; empty: istio-system
	Revision       string // of the istiods to ask; empty: all

	// Namespace is whose pods are listed, with those of IstioNamespace, where
	// those of all namespaces may not be.
	Namespace string

	AdminPort int // of the Envoys; 0: what their pods say, else 15000

	// RequestTimeout bounds each request, from the connection to the end of
	// the answer; 0: FirstByte bounds its beginning, and later half a minute
	// without a byte ends it.
	RequestTimeout time.Duration
	FirstByte      time.Duration // 0: 5 s, or 15 s of a dump that is computed whole
	Timeout        Timeout       // nil: nothing is given up

	TempDir string           // for bodies; empty: the system's
	Quota   *transport.Quota // of bodies in temporary files; nil: no bound
}

// A Cluster is a transport.Source over a running mesh, reached by way of its
// API server.
type Cluster struct {
	*asker
	options ClusterOptions
	dialer  Dialer
	api     *api
	ways    ways
	groups  groups

	listed *memo[*transport.Body]
	seats  *memo[map[pod]seat]
	pilots *memo[map[string]int]

	mu     sync.Mutex
	faults []*mesh.Fault
}

// NewCluster makes a source. It asks nothing yet. On an error the dialer stays
// the caller's.
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
		listed: newMemo[*transport.Body](), seats: newMemo[map[pod]seat](), pilots: newMemo[map[string]int](),
	}, nil
}

// Manifest says that the source is live, and of which context.
func (c *Cluster) Manifest() transport.Manifest {
	return transport.Manifest{Kind: transport.KindLive, Context: c.options.Context, IstioNamespace: c.options.IstioNamespace}
}

// Faults gives what was met so far: there may be one more after List("pods").
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

// Proxies names none: who there is, pods and istiods tell.
func (c *Cluster) Proxies(context.Context) ([]string, error) { return nil, nil }

// Stats tell how far the work is.
func (c *Cluster) Stats() Stats { return c.stats() }

// Fetch asks the admin port of a proxy, "pod.namespace". A request with a
// query is sent as it is; the plain words of snapshots are asked for in full.
// The hint is not used: what to ask for is in the request.
func (c *Cluster) Fetch(ctx context.Context, proxy, request string, _ mesh.Hint) (*transport.Body, error) {
	defer c.begin()()
	p, ok := podOf(proxy)
	if !ok {
		return nil, &absent{"no such pod", nil}
	}
	at, err := c.seat(ctx, p)
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

// Pilot asks an istiod, "pod.namespace", for one of its debug endpoints or its
// version.
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

// An execution is what to do where connections are forbidden.
type execution struct {
	run *program
	not string // what can't be asked by one, where run is nil
}

// question asks a pod: over a connection, or by a program where connections
// are forbidden.
func (c *Cluster) question(ctx context.Context, p pod, port int, several bool, q *question, other execution) (body *transport.Body, err error) {
	to := address{
		id: p.id(), port: port, several: several,
		dial:    func(ctx context.Context) (net.Conn, error) { return c.dial(ctx, p, port) },
		release: func() { c.dialer.Release(p.namespace, p.name) },
		drop: func() {
			if d, ok := c.dialer.(interface{ Drop(namespace, pod string) }); ok {
				d.Drop(p.namespace, p.name)
			}
		},
	}
	err = c.inTurn(ctx, to, func(l *line) error {
		body, err = c.ask(ctx, to, q, l)
		var no *undialled
		if !errors.As(err, &no) {
			return err
		}
		if other.run == nil {
			return c.ways.to(p.namespace).onlyDial(other.not)
		}
		body, err = c.exec(ctx, p, q, *other.run)
		return err
	})
	return body, err
}

// undialled is the error of a connection that is forbidden.
type undialled struct{ error }

// dial gives a connection to a port of a pod.
func (c *Cluster) dial(ctx context.Context, p pod, port int) (net.Conn, error) {
	w := c.ways.to(p.namespace)
	if err := w.dialForbidden(); err != nil {
		return nil, &undialled{err}
	}
	nc, err := c.dialer.DialContext(ctx, p.namespace, p.name, port)
	switch {
	case err == nil:
		return nc, nil
	case ctx.Err() != nil:
		return nil, ended(ctx)
	case apierrors.IsForbidden(err):
		w.refuseDial(err)
		return nil, &undialled{err}
	}
	return nil, unreached(port, err)
}

// Forget drops what was found out about pods and istiods, the faults, and all
// bodies, which can't be read any more: the next question finds a mesh as it
// is then. Nothing may be under way.
func (c *Cluster) Forget() {
	c.listed.forget()
	c.seats.forget()
	c.pilots.forget()
	c.mu.Lock()
	c.faults = nil
	c.mu.Unlock()
	c.forget()
}

// Close ends the dialer and frees the temporary file.
func (c *Cluster) Close() error {
	err := c.dialer.Close()
	c.api.client.CloseIdleConnections()
	return errors.Join(err, c.depot.Close())
}
