package live

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"

	"github.com/meshq/kubectl-meshq/sources/transport"
)

// The forms that the API server is asked for.
const (
	asJSON     = "application/json"
	asProtobuf = "application/vnd.kubernetes.protobuf"
)

// How often, and how late, an API server that asks for patience is asked again.
const (
	mostTries = 3
	maxPause  = 5 * time.Second
)

// An api asks an API server. Its requests are plain GETs, which pass no
// client-side limit: the server has its own.
type api struct {
	client *http.Client
	base   *url.URL
	agent  string
}

func newAPI(config *rest.Config) (*api, error) {
	c := rest.CopyConfig(config)
	c.Timeout = 0 // ours are others
	client, err := rest.HTTPClientFor(c)
	if err != nil {
		return nil, err
	}
	base, _, err := rest.DefaultServerUrlFor(c)
	if err != nil {
		return nil, err
	}
	own := *client
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	agent := c.UserAgent
	if agent == "" {
		agent = "kubectl-meshq"
	}
	return &api{&own, base, agent}, nil
}

// request makes the request of a path.
func (a *api) request(ctx context.Context, path string, query url.Values, accept string) (*http.Request, error) {
	u := a.base.JoinPath(path)
	u.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", accept)
	req.Header.Set("User-Agent", a.agent)
	return req, nil
}

// get gives what the API server has at a path. One that is too busy, or just
// starting, says when to come again.
func (c *Cluster) get(ctx context.Context, path string, query url.Values, accept string) (*transport.Spool, error) {
	for tries := 1; ; tries++ {
		spool, later, err := c.getOnce(ctx, path, query, accept)
		if later == 0 || tries == mostTries || c.timeout == nil {
			return spool, err
		}
		pause, cancel := c.after(ctx, min(later, maxPause))
		<-pause.Done()
		cancel()
		if err := ended(ctx); err != nil {
			return nil, err
		}
	}
}

// getOnce asks once. Where the API server wants to be asked later, it gives
// how much later.
func (c *Cluster) getOnce(ctx context.Context, path string, query url.Values, accept string) (spool *transport.Spool, later time.Duration, err error) {
	whole, cancel := c.whole(ctx)
	defer cancel()
	inner, stop := context.WithCancel(whole)
	defer stop()
	req, err := c.api.request(inner, path, query, accept)
	if err != nil {
		return nil, 0, err
	}
	var resp *http.Response
	stopped, err := c.within(whole, c.silence(), stop, func() (err error) {
		resp, err = c.api.client.Do(req)
		return err
	})
	if err == nil {
		defer resp.Body.Close()
	}
	switch {
	case stopped:
		return nil, 0, c.apiLate(ctx, whole, nil)
	case err != nil:
		return nil, 0, &said{"API server: " + fact(err).Error(), fact(err)}
	}
	spool = c.depot.Spool()
	err = (&filler{spool: spool, counters: &c.counters}).fill(whole, c.limits, c.silence(), resp.Body, stop)
	if err == errStopped {
		err = c.apiLate(ctx, whole, spool)
	} else if errors.As(err, new(*SilentError)) {
		err = &said{"API server: " + err.Error(), err}
	}
	if err == nil && resp.StatusCode != http.StatusOK {
		later, err = laterBy(resp), failure(resp.StatusCode, spool)
	}
	if err != nil {
		spool.Discard()
		return nil, later, err
	}
	return spool, 0, nil
}

// laterBy reads when to come again; 0: never.
func laterBy(resp *http.Response) time.Duration {
	if resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusServiceUnavailable {
		return 0
	}
	n, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	if err != nil || n < 0 {
		return 0
	}
	return max(time.Duration(n)*time.Second, time.Millisecond)
}

// apiLate says why a request to the API server was stopped.
func (c *Cluster) apiLate(ctx, whole context.Context, spool *transport.Spool) error {
	if err := ended(ctx); err != nil {
		return err
	}
	s := &SilentError{After: c.silence()}
	if spool != nil {
		s.Begun, s.Came = true, spool.Size()
	}
	if c.request > 0 || s.Begun && whole.Err() != nil {
		s.After, s.Whole = cmp.Or(c.request, maxWhole), true
	}
	return &said{"API server: " + s.Error(), s}
}

// failure makes the error of an answer that is none.
func failure(code int, spool *transport.Spool) error {
	text := make([]byte, min(spool.Size(), 64<<10))
	if _, err := spool.ReadAt(text, 0); err != nil && err != io.EOF {
		return err
	}
	return statusOf(code, text, decodeStatus(text))
}

// decodeStatus reads the API server's words about a failure, which are in the
// form that was asked for or in JSON; nil when they are somebody else's.
func decodeStatus(text []byte) *metav1.Status {
	var s metav1.Status
	if len(text) > 4 && string(text[:4]) == "k8s\x00" {
		var u runtime.Unknown
		if u.Unmarshal(text[4:]) != nil || u.Kind != "Status" || s.Unmarshal(u.Raw) != nil {
			return nil
		}
		return &s
	}
	if json.Unmarshal(text, &s) != nil || s.Kind != "Status" {
		return nil
	}
	return &s
}
