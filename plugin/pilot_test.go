package plugin

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/sources/object"
)

const (
	recordedPilot = "../sources/testdata/stale/pilots/istiod-78566f45b4-v5qhf.istio-system"
	theReviews    = "reviews-v1-7f99cc4496-gdxfn.default"
	theRatings    = "ratings-v1-7dc98c7588-8jsbw.default"
)

const rdsURL = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"

// A pilot is a server that sends recorded responses of a real istiod over HTTP. A
// test can change the responses.
type pilot struct {
	*httptest.Server
	mu      sync.Mutex
	broken  bool
	Request map[string]int

	syncz   []*object.Object
	clients []*object.Object
}

func startPilot(t *testing.T) *pilot {
	t.Helper()
	p := &pilot{Request: map[string]int{}}
	adsz := struct{ Clients *[]*object.Object }{&p.clients}
	for name, into := range object.Of("syncz.json", &p.syncz, "adsz.json", &adsz).All() {
		b, err := os.ReadFile(filepath.Join(recordedPilot, name))
		if err == nil {
			err = object.Unmarshal(b, into)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	p.Server = httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(p.Server.Close)
	return p
}

func (p *pilot) serve(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.Request[r.URL.Path]++
	switch {
	case p.broken:
		http.Error(w, "starting up", http.StatusServiceUnavailable)
	case r.URL.Path == "/debug/syncz":
		_ = json.NewEncoder(w).Encode(p.syncz) // the test notices if the response is incomplete
	case r.URL.Path == "/debug/adsz":
		_ = json.NewEncoder(w).Encode(p.adsz())
	default:
		http.NotFound(w, r)
	}
}

// adsz returns the response for /debug/adsz, with only those connections that are
// in syncz too.
func (p *pilot) adsz() *object.Object {
	var clients []any
	for _, c := range p.clients {
		if slices.ContainsFunc(p.syncz, func(s *object.Object) bool {
			return strings.HasPrefix(c.Get("connectionId").(string), s.Get("proxy").(string)+"-")
		}) {
			clients = append(clients, c)
		}
	}
	return object.Of("totalClients", len(clients), "clients", clients)
}

// change calls do, which changes the responses, while no request is being served.
func (p *pilot) change(do func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	do()
}

// ack changes the sync state of a proxy's routes: accepted, or sent but not yet
// accepted.
func (p *pilot) ack(t *testing.T, id string, accepts bool) {
	t.Helper()
	p.change(func() {
		for _, s := range p.syncz {
			if s.Get("proxy") != id {
				continue
			}
			routes := s.Get("resources").(*object.Object).Get(rdsURL).(*object.Object)
			routes.Set("acked", "2026-11-22T13:00:00Z/7")
			if accepts {
				routes.Set("acked", routes.Get("sent"))
			}
			return
		}
		t.Errorf("no proxy %s", id)
	})
}

// A session runs a command line in the process of the test. At each pause of the
// program, it calls a step of the test. If the step returns false, the user presses
// Ctrl-C. If there is no step, --timeout expires at the first pause.
type session struct {
	out, err bytes.Buffer
	pauses   []time.Duration
	code     int
}

func (s *session) run(t *testing.T, step func(n int) bool, args ...string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w := &process.World{
		Args: append([]string{"kubectl-meshq"}, args...), In: &bytes.Buffer{}, Out: &s.out, Err: &s.err, Now: time.Now,
		Sleep: func(ctx context.Context, d time.Duration) error {
			s.pauses = append(s.pauses, d)
			if step == nil {
				return context.DeadlineExceeded
			}
			if !step(len(s.pauses)) {
				cancel()
			}
			return ctx.Err()
		},
	}
	s.code = execute(ctx, w)
}
