package requests

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io/fs"
	"slices"
	"sync"
	"time"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/kube"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/store"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// A Target is the kind of server that a request goes to.
type Target int

// These are the targets, in the order in which the ledger lists their requests.
const (
	Pilot Target = iota
	Kubernetes
	Proxy
)

// A Request is a request for one endpoint or resource of one server in a
// cluster.
type Request struct {
	Cluster *Cluster
	To      Target
	Name    string // the id of the istiod or proxy, in the form pod.namespace; empty for Kubernetes
	What    string // the endpoint with its query, or the Kubernetes resource
}

// An answer is the body that a request returned, and the duration of the
// request.
type answer struct {
	body *store.Shared[*transport.Body]
	took time.Duration // the duration of the request; written before the body is set
}

// A Client sends the requests of one mesh. Its methods may be called by several
// goroutines at once.
type Client struct {
	store *store.Store
	clock func() time.Time

	mu      sync.Mutex
	answers map[Request]*answer
	faults  map[string]recorded // the faults; the keys are their texts
}

// NewClient returns a client whose requests wait for slots of the store s.
// clock measures how long requests take; if it is nil, they are not measured.
func NewClient(s *store.Store, clock func() time.Time) *Client {
	return &Client{store: s, clock: clock, answers: map[Request]*answer{}, faults: map[string]recorded{}}
}

// Ask returns the answer to a request. Each request is sent only once. Ask waits
// for a slot of the store, unless the answer is already known or the load under
// ctx already has a slot.
func (c *Client) Ask(ctx context.Context, r Request) (*transport.Body, error) {
	c.mu.Lock()
	a := c.answers[r]
	if a == nil {
		a = &answer{}
		a.body = store.NewShared(c.store, func(ctx context.Context) (*transport.Body, error) {
			if c.clock != nil {
				began := c.clock()
				defer func() { a.took = c.clock().Sub(began) }()
			}
			return r.Send(ctx)
		})
		c.answers[r] = a
	}
	c.mu.Unlock()
	if _, _, ok := a.body.Look(); !ok {
		inSlot, release, err := c.store.Slot(ctx)
		if err != nil {
			return nil, err
		}
		defer release()
		ctx = inSlot
	}
	return a.body.Get(ctx)
}

// AskJSON returns the answer to a request as a JSON document. It converts YAML
// and Protobuf to JSON.
func (c *Client) AskJSON(ctx context.Context, r Request) (*decode.Document, error) {
	body, err := c.Ask(ctx, r)
	if err != nil {
		return nil, err
	}
	return ToJSON(ctx, body)
}

// ToJSON returns a body as a JSON document. It converts YAML and Protobuf to
// JSON.
func ToJSON(ctx context.Context, body *transport.Body) (*decode.Document, error) {
	doc := &decode.Document{Bytes: body, Name: body.Name}
	var text []byte
	var err error
	switch body.Form {
	case transport.YAML:
		text, err = kube.FromYAML(ctx, body)
	case transport.Protobuf:
		text, err = kube.ProtobufJSON(ctx, body)
	default:
		return doc, nil
	}
	doc.Bytes = bytes.NewReader(text)
	return doc, doc.Named(err)
}

// Send sends the request even if it was sent before, and doesn't keep the
// answer. It tries the cluster's sources in order until one answers. If none
// does, the error is the error of the first source.
func (r Request) Send(ctx context.Context) (*transport.Body, error) {
	var first error
	for _, s := range r.Cluster.Sources {
		b, err := r.sendTo(ctx, s)
		if err == nil {
			return b, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		first = cmp.Or(first, err)
	}
	return nil, first
}

func (r Request) sendTo(ctx context.Context, s transport.Source) (*transport.Body, error) {
	switch r.To {
	case Pilot:
		return s.Pilot(ctx, r.Name, r.What)
	case Kubernetes:
		return s.List(ctx, r.What)
	}
	return s.Fetch(ctx, r.Name, r.What, mesh.Hint{})
}

// An Asked describes one request and its outcome.
type Asked struct {
	Context string        // the kubeconfig context; may be empty
	To      Target        // the kind of the server
	Whom    string        // the id of an istiod or a proxy, in the form pod.namespace, or "kubernetes"
	What    string        // the endpoint or resource, such as "syncz", "config_dump" or "pods"
	Bytes   int64         // the size of the answer in bytes
	Took    time.Duration // the duration of the request; 0 without a clock
	Again   int           // the number of times that the cached answer was reused
	Missing bool          // true if no source has an answer
	Err     error         // the reason why there is no answer
}

// Ledger returns all requests so far: first those to istiods, then to
// Kubernetes, then to proxies, each group sorted by name and request.
func (c *Client) Ledger() []Asked {
	c.mu.Lock()
	var all []Request
	out := map[Request]Asked{}
	for r, a := range c.answers {
		body, err, ok := a.body.Look()
		if !ok {
			continue
		}
		l := Asked{Context: r.Cluster.Context, To: r.To, Whom: r.Name, What: r.What, Took: a.took, Again: a.body.Again(), Err: err, Missing: errors.Is(err, fs.ErrNotExist)}
		if r.To == Kubernetes {
			l.Whom = "kubernetes"
		}
		if body != nil {
			l.Bytes = body.Size()
		}
		all, out[r] = append(all, r), l
	}
	c.mu.Unlock()
	slices.SortFunc(all, func(a, b Request) int {
		return cmp.Or(cmp.Compare(a.To, b.To), cmp.Compare(a.Cluster.Number, b.Cluster.Number), cmp.Compare(a.Name, b.Name), cmp.Compare(a.What, b.What))
	})
	sorted := make([]Asked, len(all))
	for i, r := range all {
		sorted[i] = out[r]
	}
	return sorted
}

// Progress counts the requests and how many of them have been answered.
type Progress struct {
	// Phase is the current phase: "asking istiods", "listing pods", "listing
	// objects" (of other resources) or "asking proxies". It is empty before the
	// first request.
	Phase string

	// Done counts the requests of the phase that were answered or failed. Total
	// counts the requests of the phase that were sent so far.
	Done, Total int

	// Bytes is the size of all answers so far, in all phases.
	Bytes int64
}

// phases lists the phases in order: each phase depends on those before it.
var phases = [...]string{"asking istiods", "listing pods", "listing objects", "asking proxies"}

// phase returns the index of the phase that a request belongs to.
func (r Request) phase() int {
	switch {
	case r.To == Pilot:
		return 0
	case r.To == Proxy:
		return 3
	case r.What == "pods":
		return 1
	}
	return 2
}

// Progress returns the current progress. The phase is the last one that has open
// requests. If none has, it is the last phase that had any request.
func (c *Client) Progress() Progress {
	var done, total [len(phases)]int
	var p Progress
	c.mu.Lock()
	for r, a := range c.answers {
		at := r.phase()
		total[at]++
		body, _, ok := a.body.Look()
		if !ok {
			continue
		}
		done[at]++
		if body != nil {
			p.Bytes += body.Size()
		}
	}
	c.mu.Unlock()
	isOpen := false
	for at, phase := range phases {
		opens := done[at] < total[at]
		if opens || !isOpen && total[at] > 0 {
			p.Phase, p.Done, p.Total = phase, done[at], total[at]
		}
		isOpen = isOpen || opens
	}
	return p
}
