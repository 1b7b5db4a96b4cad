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

// These are the content types that are requested from the API server.
const (
	asJSON     = "application/json"
	asProtobuf = "application/vnd.kubernetes.protobuf"
)

// These limits apply to a request that the API server asks to retry later: the
// number of attempts, and the longest pause between two of them.
const (
	mostTries = 3
	maxPause  = 5 * time.Second
)

// An api sends requests to an API server. All of them are plain GETs. They have
// no client-side rate limit, since the server has its own.
type api struct {
	client *http.Client
	base   *url.URL
	agent  string
}

func newAPI(config *rest.Config) (*api, error) {
	c := rest.CopyConfig(config)
	c.Timeout = 0 // every request has a deadline of this package instead
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

// request returns an HTTP request for a path.
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

// get returns the API server's response for a path. If the API server is too busy
// or is still starting, and asks the client to retry, get retries.
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

// getOnce sends one request. If the API server asks for a retry, later is the
// pause before the retry.
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
		return nil, 0, &rewordedError{"API server: " + fact(err).Error(), fact(err)}
	}
	spool = c.depot.Spool()
	err = (&filler{spool: spool, counters: &c.counters}).fill(whole, c.limits, c.silence(), resp.Body, stop)
	if err == errStopped {
		err = c.apiLate(ctx, whole, spool)
	} else if errors.As(err, new(*SilentError)) {
		err = &rewordedError{"API server: " + err.Error(), err}
	}
	if err == nil && resp.StatusCode != http.StatusOK {
		later, err = retryAfter(resp), failure(resp.StatusCode, spool)
	}
	if err != nil {
		spool.Discard()
		return nil, later, err
	}
	return spool, 0, nil
}

// retryAfter returns the pause before a retry. It returns 0 if no retry is
// allowed.
func retryAfter(resp *http.Response) time.Duration {
	if resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusServiceUnavailable {
		return 0
	}
	n, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	if err != nil || n < 0 {
		return 0
	}
	return max(time.Duration(n)*time.Second, time.Millisecond)
}

// apiLate returns the error for a request to the API server that was stopped: the
// error of ctx, or the error for a missed deadline.
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
	return &rewordedError{"API server: " + s.Error(), s}
}

// failure returns the error for a response whose status isn't 200.
func failure(code int, spool *transport.Spool) error {
	text := make([]byte, min(spool.Size(), 64<<10))
	if _, err := spool.ReadAt(text, 0); err != nil && err != io.EOF {
		return err
	}
	return statusOf(code, text, decodeStatus(text))
}

// decodeStatus decodes the Status object with which the API server describes an
// error, in JSON or Protobuf. It returns nil if the text isn't a Status, for example
// because a proxy in front of the API server has answered.
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
