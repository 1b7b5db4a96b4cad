package xds

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sync"

	"google.golang.org/protobuf/encoding/protowire"
)

const typePrefix = "type.googleapis.com/"

// A Type is a type of resource, as its type URL.
type Type string

// These are the types that [Stream.Ask] subscribes to, besides which an Envoy only
// subscribes to secrets.
const (
	Clusters   Type = typePrefix + "envoy.config.cluster.v3.Cluster"
	Listeners  Type = typePrefix + "envoy.config.listener.v3.Listener"
	Routes     Type = typePrefix + "envoy.config.route.v3.RouteConfiguration"
	Endpoints  Type = typePrefix + "envoy.config.endpoint.v3.ClusterLoadAssignment"
	Extensions Type = typePrefix + "envoy.config.core.v3.TypedExtensionConfig"
)

// Types returns all types, in the order in which an Envoy subscribes to them.
func Types() []Type { return []Type{Clusters, Endpoints, Listeners, Routes, Extensions} }

// method is the path of the delta stream of ADS.
const method = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources"

// largestMessage limits the size in bytes of one message. istiod's usual limit is 4 MB,
// but it can be raised, and the clusters of a large mesh take more.
const largestMessage = 1 << 30

// A Client connects to one istiod.
type Client struct {
	http    *http.Client
	address string
}

// NewClient returns a client for the istiod at an address, whose ADS port accepts
// plain text.
func NewClient(address string) *Client {
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true)
	return &Client{http: &http.Client{Transport: &http.Transport{Protocols: p, DisableCompression: true, Proxy: nil}}, address: address}
}

// Close closes all connections that are idle.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// A Stream is the delta ADS connection of one proxy. istiod keeps it up to date until
// it is closed. Only one goroutine may call Ask; the other methods may be called by
// several goroutines.
type Stream struct {
	node   []byte
	proxy  string
	body   *io.PipeWriter
	cancel func()
	ended  chan struct{} // closed when the receiver has ended

	sending sync.Mutex // held while a request is sent
	begun   bool       // the first request, with the node, was sent

	mu        sync.Mutex
	watched   map[Type][]string
	got       map[Type]map[string][]byte // the resources, by type and name, in wire format
	responses map[Type]int
	changed   chan struct{} // closed at the next response
	err       error
}

// Open opens the stream of a proxy. When ctx ends, the stream ends. The caller has to
// close the stream.
func (c *Client) Open(ctx context.Context, n *Node) (*Stream, error) {
	ctx, cancel := context.WithCancel(ctx)
	pr, pw := io.Pipe()
	s := &Stream{
		node: n.wire(), proxy: n.Proxy(), body: pw, cancel: cancel, ended: make(chan struct{}),
		watched: map[Type][]string{}, got: map[Type]map[string][]byte{}, responses: map[Type]int{}, changed: make(chan struct{}),
	}
	to := url.URL{Scheme: "http", Host: c.address, Path: method}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), pr)
	if err != nil {
		cancel()
		return nil, err
	}
	req.Header.Set("Content-Type", "application/grpc")
	req.Header.Set("TE", "trailers")
	go func() {
		defer close(s.ended)
		r, err := c.http.Do(req)
		if err == nil {
			err = s.receive(r)
		}
		pr.CloseWithError(err) // so that no sender waits for a reader
		s.mu.Lock()
		s.err = err
		s.mu.Unlock()
		s.wake()
	}()
	return s, nil
}

// Close ends the stream.
func (s *Stream) Close() {
	s.body.Close()
	s.cancel()
	<-s.ended
}

func (s *Stream) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.changed)
	s.changed = make(chan struct{})
}

// Responses returns the number of responses so far, by type.
func (s *Stream) Responses() map[Type]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.responses)
}

// Resources returns the resources of the types, as istiod has sent them.
func (s *Stream) Resources() map[Type]map[string][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make(map[Type]map[string][]byte, len(s.got))
	for t, resources := range s.got {
		all[t] = maps.Clone(resources)
	}
	return all
}

// Ask subscribes as an Envoy does: to all clusters and listeners, and to the
// endpoints, routes and extensions that these name. routes are further route
// configurations to ask for. Ask returns when all of them have arrived.
func (s *Stream) Ask(ctx context.Context, routes []string) error {
	for _, t := range []Type{Clusters, Listeners} {
		if err := s.subscribe(ctx, t, nil); err != nil {
			return err
		}
	}
	names, err := References(s.Resources())
	if err != nil {
		return fmt.Errorf("%s: %w", s.proxy, err)
	}
	names[Routes] = append(names[Routes], routes...)
	for _, t := range []Type{Endpoints, Routes, Extensions} {
		if len(names[t]) == 0 {
			continue
		}
		if err := s.subscribe(ctx, t, names[t]); err != nil {
			return err
		}
	}
	return nil
}

// subscribe asks for resources of a type, or for all if names is nil, and waits for
// the response.
func (s *Stream) subscribe(ctx context.Context, t Type, names []string) error {
	slices.Sort(names)
	names = slices.Compact(names)
	s.mu.Lock()
	before := s.responses[t]
	s.watched[t] = names
	s.mu.Unlock()
	if err := s.send(t, "", names); err != nil {
		return s.failed(err)
	}
	for {
		s.mu.Lock()
		count, err, changed := s.responses[t], s.err, s.changed
		s.mu.Unlock()
		switch {
		case err != nil:
			return s.failed(err)
		case count > before:
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%s: istiod sent no %s: %w", s.proxy, t, context.Cause(ctx))
		}
	}
}

// failed names the proxy in an error. It prefers the error with which istiod ended
// the stream over the one of writing to it.
func (s *Stream) failed(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		err = s.err
	}
	if errors.Is(err, io.EOF) {
		err = errors.New("istiod ended the stream")
	}
	return fmt.Errorf("%s: %w", s.proxy, err)
}

// frameHead is the size of what gRPC puts before a message: a byte that says whether
// it is compressed, and its length in four bytes.
const frameHead = 5

// send sends a DeltaDiscoveryRequest. With a nonce, it acknowledges a response.
func (s *Stream) send(t Type, nonce string, subscribe []string) error {
	const node, typeURL, names, responseNonce = 1, 2, 3, 6 // the numbers of the fields in DeltaDiscoveryRequest
	s.sending.Lock()
	defer s.sending.Unlock()
	frame := make([]byte, frameHead)
	if !s.begun {
		s.begun = true
		frame = appendBytes(frame, node, s.node)
	}
	frame = appendText(frame, typeURL, string(t))
	for _, n := range subscribe {
		frame = appendText(frame, names, n)
	}
	frame = appendText(frame, responseNonce, nonce)
	binary.BigEndian.PutUint32(frame[1:], uint32(len(frame)-frameHead))
	_, err := s.body.Write(frame)
	return err
}

// receive reads and acknowledges the responses until the stream ends.
func (s *Stream) receive(r *http.Response) error {
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		return errors.New(r.Status)
	}
	if m := r.Header.Get("Grpc-Message"); m != "" {
		return errors.New(m)
	}
	var head [frameHead]byte
	for {
		if _, err := io.ReadFull(r.Body, head[:]); err != nil {
			if m := r.Trailer.Get("Grpc-Message"); m != "" {
				return errors.New(m)
			}
			return err
		}
		size := binary.BigEndian.Uint32(head[1:])
		if head[0] != 0 || size > largestMessage {
			return fmt.Errorf("a message of %d bytes, compressed: %v", size, head[0] != 0)
		}
		b := make([]byte, size)
		if _, err := io.ReadFull(r.Body, b); err != nil {
			return err
		}
		t, nonce, err := s.take(b)
		if err != nil {
			return err
		}
		if err := s.send(t, nonce, nil); err != nil {
			return err
		}
		s.wake()
	}
}

// take reads a DeltaDiscoveryResponse.
func (s *Stream) take(b []byte) (t Type, nonce string, err error) {
	const resources, typeURL, responseNonce, removed = 2, 4, 5, 6 // the numbers of the fields
	changed := map[string][]byte{}
	var gone []string
	err = eachField(b, func(field protowire.Number, v []byte) error {
		switch field {
		case resources:
			name, body, err := resource(v)
			changed[name] = body
			return err
		case typeURL:
			t = Type(v)
		case responseNonce:
			nonce = string(v)
		case removed:
			gone = append(gone, string(v))
		}
		return nil
	})
	if err != nil {
		return t, nonce, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.responses[t]++
	if s.got[t] == nil {
		s.got[t] = map[string][]byte{}
	}
	maps.Copy(s.got[t], changed)
	for _, name := range gone {
		delete(s.got[t], name)
	}
	return t, nonce, nil
}

// resource reads the name and the message of a Resource.
func resource(b []byte) (name string, body []byte, err error) {
	const wrapped, named, value = 2, 3, 2 // the numbers of the fields in Resource and Any
	err = eachField(b, func(field protowire.Number, v []byte) error {
		switch field {
		case named:
			name = string(v)
		case wrapped:
			return eachField(v, func(field protowire.Number, v []byte) error {
				if field == value {
					body = v
				}
				return nil
			})
		}
		return nil
	})
	return name, body, err
}
