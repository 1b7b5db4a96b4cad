package forward

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// shortDelays returns a Timeout that divides the delays between attempts by 1000. These are the
// delays of less than 4 s, and longestDelay. It adds their original lengths to delays.
func shortDelays(delays *atomic.Int64) Timeout {
	return func(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
		if d < 4*time.Second || d == longestDelay {
			delays.Add(int64(d))
			d /= 1000
		}
		return context.WithTimeout(ctx, d)
	}
}

// TestTemporaryRefusalsAreRetried checks that the client opens a session after
// the first upgrades were refused, by the API server or by a gateway in front
// of it. The client must not retry refusals that aren't temporary.
func TestTemporaryRefusalsAreRetried(t *testing.T) {
	for name, c := range map[string]struct {
		code    int
		header  string
		page    bool // true if the refusal's body is an error page of a gateway, not a Kubernetes Status
		refuses int64
		tries   int64 // the expected number of attempts
		delays  time.Duration
		fails   bool
	}{
		"too many requests":             {code: 429, refuses: 2, tries: 3, delays: 2 * time.Second},
		"too many, a gateway's page":    {code: 429, page: true, refuses: 3, tries: 4, delays: 3 * time.Second},
		"always too many":               {code: 429, refuses: 1000, tries: 11, delays: 10 * time.Second, fails: true},
		"unavailable for 3 s":           {code: 503, header: "3", page: true, refuses: 2, tries: 3, delays: 6 * time.Second},
		"unavailable for an hour":       {code: 503, header: "3600", page: true, refuses: 1, tries: 2, delays: longestDelay},
		"unavailable for 300 years":     {code: 503, header: "9999999999", page: true, refuses: 1, tries: 2, delays: longestDelay},
		"unavailable, and not how long": {code: 503, page: true, refuses: 1, tries: 1, fails: true},
		"a missing pod":                 {code: 404, refuses: 1, tries: 1, fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			for _, what := range []string{"portforward", "exec"} {
				api := newCluster(t)
				api.serves(t, "15000", hello)
				api.command = shell
				var tries, delays atomic.Int64
				api.refuse = func(w http.ResponseWriter, r *http.Request, way string) bool {
					// refuse WebSockets, so that the client uses SPDY, whose
					// refusal headers it can read
					if way == "websocket" {
						return noWebSockets(w, r, way)
					}
					if tries.Add(1) > c.refuses {
						return false
					}
					if c.header != "" {
						w.Header().Set("Retry-After", c.header)
					}
					if c.page {
						http.Error(w, "come back later", c.code)
					} else {
						status(w, c.code, metav1.StatusReason("x"), "come back later")
					}
					return true
				}
				p := api.pool(t, Options{Timeout: shortDelays(&delays)})
				var err error
				if what == "exec" {
					err = p.Exec(within(t), "shop", "a", "istio-proxy", []string{"echo"}, io.Discard)
				} else {
					_, err = get(within(t), p, "a", 15000, "/")
				}
				if failed := err != nil; failed != c.fails {
					t.Errorf("%s: %v", what, err)
				}
				if tries.Load() != c.tries || time.Duration(delays.Load()) < c.delays {
					t.Errorf("%s: %d tries with delays of %s, expected %d and %s", what, tries.Load(), time.Duration(delays.Load()), c.tries, c.delays)
				}
			}
		})
	}
}

// TestWebSocketsThatAreTooManyAreRetried checks that the client retries a
// WebSocket that was refused with status 429. The client can't read the headers
// of such a refusal, so the delay in Retry-After is unknown.
func TestWebSocketsThatAreTooManyAreRetried(t *testing.T) {
	api := newCluster(t)
	api.serves(t, "15000", hello)
	var tries, delays atomic.Int64
	api.refuse = func(w http.ResponseWriter, r *http.Request, way string) bool {
		if way != "websocket" || tries.Add(1) > 2 {
			return false
		}
		http.Error(w, "Too many requests, please try again later.", http.StatusTooManyRequests)
		return true
	}
	p := api.pool(t, Options{Timeout: shortDelays(&delays)})
	if got, err := get(within(t), p, "a", 15000, "/"); got != "hello /" || err != nil || tries.Load() != 3 {
		t.Errorf("%q, %v after %d tries", got, err, tries.Load())
	}
}
