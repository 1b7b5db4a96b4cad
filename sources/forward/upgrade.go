package forward

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"sync"
	"sync/atomic"

	"k8s.io/apimachinery/pkg/api/validate/content"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/websocket"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"
)

// tunnelPrefix is the prefix of the names of protocols that send SPDY frames
// through a WebSocket.
const tunnelPrefix = "SPDY/3.1+"

// An upgrader opens connections through the API server by upgrading requests.
type upgrader struct {
	o         Options
	config    *rest.Config
	base      *url.URL
	transport http.RoundTripper // uses HTTP/1.1, because an HTTP/2 request can't be upgraded
	tickets   tls.ClientSessionCache
	refused   atomic.Int32 // the number of upgrades that were refused temporarily and wait for a retry

	mu       sync.Mutex
	onlySPDY map[accessKey]bool // the accesses for which WebSockets have failed and SPDY has succeeded
}

// An accessKey identifies what RBAC grants access to: a subresource of the pods
// in a namespace.
type accessKey struct{ namespace, subresource string }

func newUpgrader(cfg *rest.Config, o Options) (*upgrader, error) {
	c := rest.CopyConfig(cfg)
	c.TLSClientConfig.NextProtos = []string{"http/1.1"}
	c.Timeout = 0 // this timeout would end the whole connection, not only the upgrade
	c.RateLimiter, c.QPS = nil, -1
	transport, err := rest.TransportFor(c)
	if err != nil {
		return nil, err
	}
	base, _, err := rest.DefaultServerUrlFor(c)
	if err != nil {
		return nil, err
	}
	return &upgrader{o: o, config: c, base: base, transport: transport, tickets: tls.NewLRUClientSessionCache(0), onlySPDY: map[accessKey]bool{}}, nil
}

func (d *upgrader) close() { utilnet.CloseIdleConnectionsFor(d.transport) }

// checkName returns an error if a name can't be part of a URL path.
func checkName(namespace, pod string) (podName, error) {
	for _, part := range []string{namespace, pod} {
		if part == "" || len(content.IsPathSegmentName(part)) > 0 {
			return podName{}, fmt.Errorf("%q is no name of a pod and its namespace", pod+"."+namespace)
		}
	}
	return podName{namespace, pod}, nil
}

func (d *upgrader) url(name podName, subresource string, query url.Values) string {
	u := d.base.JoinPath("api/v1/namespaces", name.namespace, "pods", name.pod, subresource)
	u.RawQuery = query.Encode()
	return u.String()
}

// open opens a session to a pod. Each attempt may take Options.UpgradeTimeout.
func (d *upgrader) open(ctx context.Context, name podName) (l *link, err error) {
	err = d.retrying(ctx, func() error {
		l, err = d.openOnce(ctx, name)
		return err
	})
	return l, err
}

func (d *upgrader) openOnce(ctx context.Context, name podName) (*link, error) {
	limited, cancel := d.o.Timeout(ctx, d.o.UpgradeTimeout)
	defer cancel()
	u := d.url(name, "portforward", nil)
	var l *link
	err := d.webSocketOrSPDY(accessKey{name.namespace, "portforward"},
		func() (err error) { l, err = d.tunnel(limited, u); return err },
		func() (err error) {
			l, err = d.post(limited, u, portforward.PortForwardProtocolV1Name)
			return err
		})
	if err != nil {
		return nil, d.late(ctx, limited, err)
	}
	return l, nil
}

// late returns the error of a request that ended because of its timeout, or
// because ctx ended. err alone doesn't distinguish the two.
func (d *upgrader) late(ctx, limited context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case limited.Err() != nil, errors.Is(err, os.ErrDeadlineExceeded):
		return &SlowUpgradeError{After: d.o.UpgradeTimeout}
	}
	return err
}

// webSocketOrSPDY tries a WebSocket first, and then SPDY if it may succeed
// where the WebSocket failed. If SPDY succeeded, only SPDY is used for the same
// access afterwards.
func (d *upgrader) webSocketOrSPDY(h accessKey, overWebSocket, overSPDY func() error) error {
	d.mu.Lock()
	only := d.onlySPDY[h] || d.config.Dial != nil // client-go's WebSockets ignore the configuration's field Dial
	d.mu.Unlock()
	if only {
		return refusal(overSPDY())
	}
	err := overWebSocket()
	first := refusal(err)
	if err == nil || !mayHelpSPDY(err, first) {
		return first
	}
	if second := refusal(overSPDY()); second != nil {
		return moreHelpful(first, second)
	}
	d.mu.Lock()
	d.onlySPDY[h] = true
	d.mu.Unlock()
	return nil
}

// dial opens a WebSocket. If ctx ends first, it closes the network connection.
func (d *upgrader) dial(ctx context.Context, url string, protocols ...string) (websocket.ConnectionHolder, *line, error) {
	rt, holder, err := websocket.RoundTripperFor(d.config) // a round tripper can be used only once
	if err != nil {
		return nil, nil, err
	}
	// Each session is a TLS connection. When a later connection resumes the TLS
	// session of the first one, the API server doesn't have to compute a
	// signature for it.
	if of, ok := holder.(utilnet.TLSClientConfigHolder); ok && of.TLSClientConfig() != nil {
		of.TLSClientConfig().ClientSessionCache = d.tickets
	}
	l := &line{}
	req, err := http.NewRequestWithContext(l.watch(ctx), http.MethodGet, url, nil)
	if err != nil {
		return nil, nil, err
	}
	stop := context.AfterFunc(ctx, l.close)
	_, err = websocket.Negotiate(rt, holder, req, protocols...)
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		l.close()
		return nil, nil, err
	}
	return holder, l, nil
}

// tunnel opens a SPDY session inside a WebSocket.
func (d *upgrader) tunnel(ctx context.Context, url string) (*link, error) {
	ws, l, err := d.dial(ctx, url, tunnelPrefix+portforward.PortForwardProtocolV1Name)
	if err != nil {
		return nil, err
	}
	return newLink(&wire{ReadWriteCloser: portforward.NewTunnelingConnection("client", ws.Connection()), line: l}, d.o.Timeout), nil
}

// post opens a session by upgrading an HTTP request to SPDY. It uses
// client-go's ordinary transport, so that the proxies and dialers of the
// configuration apply.
func (d *upgrader) post(ctx context.Context, url string, protocols ...string) (*link, error) {
	l := &line{}
	req, err := http.NewRequestWithContext(l.watch(ctx), http.MethodPost, url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set(httpstream.HeaderConnection, httpstream.HeaderUpgrade)
	req.Header.Set(httpstream.HeaderUpgrade, spdy.HeaderSpdy31)
	for _, p := range protocols {
		req.Header.Add(httpstream.HeaderProtocolVersion, p)
	}
	resp, err := d.transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	body, ok := resp.Body.(io.ReadWriteCloser)
	if resp.StatusCode != http.StatusSwitchingProtocols || !ok {
		defer resp.Body.Close()
		text, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
		if err != nil {
			return nil, err
		}
		return nil, answered(resp.StatusCode, text, retryAfter(resp.Header))
	}
	w := &wire{ReadWriteCloser: body, line: l}
	if err := agreed(resp, protocols); err != nil {
		w.Close()
		return nil, err
	}
	return newLink(w, d.o.Timeout), nil
}

// agreed returns an error unless the server has chosen one of the protocols.
func agreed(resp *http.Response, protocols []string) error {
	chosen := resp.Header.Get(httpstream.HeaderProtocolVersion)
	for _, p := range protocols {
		if p == chosen {
			return nil
		}
	}
	return fmt.Errorf("the API server speaks %q, not %q", chosen, protocols[0])
}
