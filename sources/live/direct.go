package live

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// DirectOptions are the addresses of istiods and Envoys, and the deadlines,
// which are the same as in [ClusterOptions].
type DirectOptions struct {
	// Pilots are the addresses of istiods' debug endpoints. Envoys are the
	// addresses of Envoys' admin ports. An address has the form
	// http://127.0.0.1:15014, host:port, or host. The last form means the default
	// port.
	Pilots, Envoys []string

	RequestTimeout time.Duration
	FirstByte      time.Duration
	Timeout        Timeout
	TempDir        string
	Quota          *transport.Quota
}

// A Direct is a transport.Source that sends requests to given addresses, without
// Kubernetes. The names of istiods and Envoys have the form "host:port".
type Direct struct {
	*asker
	pilots, envoys []string
	dialer         net.Dialer
}

// NewDirect returns a source. It sends no requests.
func NewDirect(o DirectOptions) (*Direct, error) {
	d := &Direct{asker: newAsker(newLimits(o.RequestTimeout, o.FirstByte, o.Timeout), o.TempDir, o.Quota)}
	var err error
	if d.pilots, err = hosts(o.Pilots, pilotPort); err != nil {
		return nil, err
	}
	if d.envoys, err = hosts(o.Envoys, envoyPort); err != nil {
		return nil, err
	}
	return d, nil
}

// hosts returns the names for a list of addresses, without duplicates.
func hosts(all []string, port int) ([]string, error) {
	var names []string
	for _, a := range all {
		name, err := host(a, port)
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// host returns the name "host:port" of an address. Its errors never contain a
// password that is in the address.
func host(address string, port int) (string, error) {
	text := address
	if !strings.Contains(text, "://") {
		text = "http://" + text
	} else {
		port = 80
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return "", fmt.Errorf("%q is no address: http://host:port is one", before(address, "@"))
	case u.User != nil:
		return "", fmt.Errorf("%s: a user in an address is not supported", u.Redacted())
	case u.Scheme != "http":
		return "", fmt.Errorf("%s: admin and debug ports speak plain http", address)
	case u.Hostname() == "", u.Path != "" && u.Path != "/", u.RawQuery != "", u.Fragment != "":
		return "", fmt.Errorf("%q is no address: http://host:port is one", address)
	}
	if p := u.Port(); p != "" {
		if port, err = strconv.Atoi(p); err != nil || !isPort(port) {
			return "", fmt.Errorf("%s: %s is no port", address, p)
		}
	}
	return net.JoinHostPort(u.Hostname(), strconv.Itoa(port)), nil
}

// before returns the part of s after the last sep. The part before sep is left
// out, because it may contain a password.
func before(s, sep string) string { return s[strings.LastIndex(s, sep)+1:] }

// Manifest returns a manifest whose kind is KindLive.
func (d *Direct) Manifest() transport.Manifest { return transport.Manifest{Kind: transport.KindLive} }

// Faults always returns no faults.
func (d *Direct) Faults() []*mesh.Fault { return nil }

// Pilots returns the names of the istiods.
func (d *Direct) Pilots(context.Context) ([]string, error) { return slices.Clone(d.pilots), nil }

// Proxies returns the names of the Envoys.
func (d *Direct) Proxies(context.Context) ([]string, error) { return slices.Clone(d.envoys), nil }

// Stats returns how many requests were sent and answered so far.
func (d *Direct) Stats() Stats { return d.stats() }

// Fetch sends a request to an Envoy, as [Cluster.Fetch] does.
func (d *Direct) Fetch(ctx context.Context, proxy, request string, _ mesh.Hint) (*transport.Body, error) {
	defer d.begin()()
	if !slices.Contains(d.envoys, proxy) {
		return nil, &absent{"no address of it is known", nil}
	}
	q, err := askAdmin(request, false)
	if err != nil {
		return nil, err
	}
	return d.question(ctx, proxy, false, q)
}

// Pilot sends a request to an istiod, as [Cluster.Pilot] does.
func (d *Direct) Pilot(ctx context.Context, pilot, endpoint string) (*transport.Body, error) {
	defer d.begin()()
	if !slices.Contains(d.pilots, pilot) {
		return nil, &absent{"no address of it is known", nil}
	}
	q, err := askDebug(endpoint)
	if err != nil {
		return nil, err
	}
	return d.question(ctx, pilot, true, q)
}

// List always returns an error, since a Direct has no access to Kubernetes.
func (d *Direct) List(context.Context, string) (*transport.Body, error) {
	return nil, &absent{"there is no cluster to ask", nil}
}

func (d *Direct) question(ctx context.Context, whom string, several bool, q *question) (body *transport.Body, err error) {
	_, text, err := net.SplitHostPort(whom)
	if err != nil {
		return nil, err
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return nil, err
	}
	to := address{
		id: whom, port: port, several: several, release: func() {}, drop: func() {}, pause: func(bool) bool { return true },
		dial: func(ctx context.Context) (net.Conn, error) { return d.dial(ctx, whom, port) },
	}
	err = d.inTurn(ctx, to, func(l turn) error {
		body, err = d.ask(ctx, to, q, l)
		return err
	})
	if err != nil && ctx.Err() == nil {
		err = addressed(whom, port, err)
	}
	return body, err
}

// addressed replaces the port in an error with the address, because a process
// has no other name.
func addressed(whom string, port int, err error) error {
	text := strings.TrimPrefix(err.Error(), fmt.Sprintf("port %d ", port))
	return &rewordedError{whom + ": " + text, err}
}

// dial opens a connection to an address. It has the same deadline as the first
// byte of a response.
func (d *Direct) dial(ctx context.Context, whom string, port int) (net.Conn, error) {
	patience := cmp.Or(d.request, d.first)
	inner, cancel := d.after(ctx, patience)
	defer cancel()
	nc, err := d.dialer.DialContext(inner, "tcp", whom)
	switch {
	case err == nil:
		return nc, nil
	case ctx.Err() != nil:
		return nil, ended(ctx)
	case inner.Err() != nil:
		return nil, &rewordedError{fmt.Sprintf("no connection in %s", patience), err}
	}
	return nil, unreached(port, err)
}

// Forget drops all bodies, which can't be read afterwards. No request may be in
// progress.
func (d *Direct) Forget() { d.forget() }

// Close frees the temporary file.
func (d *Direct) Close() error { return d.depot.Close() }
