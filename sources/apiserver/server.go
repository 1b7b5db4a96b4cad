package apiserver

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// A Server serves objects to one istiod. Its methods may be called by several
// goroutines at once.
type Server struct {
	kinds    map[string]string
	token    string
	listener net.Listener
	serving  sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	conns   map[net.Conn]bool
	objects *Objects
	log     []event
	grown   chan struct{}   // closed when the log grows, and when the server ends
	blocked map[string]bool // the hosts of refused connections
}

// An event is a change that watches report.
type event struct {
	Change
	kind string // ADDED, MODIFIED or DELETED
}

// epoch is the resource version of the lists before the first change.
const epoch = 1_000_000

// New returns a server over the objects, which listens on a random port of loopback.
// The server owns the objects from then on. It serves the definition of each custom
// resource of which there is an object.
func New(objects *Objects) (*Server, error) {
	raw := make([]byte, 16)
	rand.Read(raw)                                                   // never fails
	for _, resource := range slices.Collect(maps.Keys(objects.of)) { // Serve adds to the map
		if len(objects.of[resource]) > 0 {
			objects.Serve(resource)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Server{
		kinds: kinds(), token: hex.EncodeToString(raw), listener: l, objects: objects,
		conns: map[net.Conn]bool{}, grown: make(chan struct{}), blocked: map[string]bool{},
	}
	s.serving.Go(s.serve)
	return s, nil
}

// URL returns the URL of the server, with its token. client-go sends a bearer token
// only over TLS, so the token is the first element of every path instead. A request
// may also have it as a bearer token.
func (s *Server) URL() string { return s.Proxy() + "/" + s.token }

// Token returns the token that requests need.
func (s *Server) Token() string { return s.token }

// Proxy returns the URL of an HTTP proxy that refuses all connections.
func (s *Server) Proxy() string { return "http://" + s.listener.Addr().String() }

// Blocked returns the hosts, with their ports, to which the proxy was asked to
// connect, sorted.
func (s *Server) Blocked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.blocked))
}

// Close ends the server and all watches.
func (s *Server) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	for c := range s.conns {
		c.Close()
	}
	close(s.grown)
	s.mu.Unlock()
	err := s.listener.Close()
	s.serving.Wait()
	return err
}

// Apply makes changes to the objects, and reports them to the watches.
func (s *Server) Apply(all []Change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	for _, c := range all {
		kind := "ADDED"
		if s.objects.Get(c.Resource, Key(c.Object)) != nil {
			kind = "MODIFIED"
		}
		if c.Remove {
			kind = "DELETED"
		}
		s.log = append(s.log, event{c, kind})
	}
	s.objects.Apply(all)
	close(s.grown)
	s.grown = make(chan struct{})
}

// answer answers a request.
func (s *Server) answer(w *response, r *http.Request) {
	if r.Method == http.MethodConnect || r.URL.Host != "" { // a request to this server as a proxy
		s.mu.Lock()
		s.blocked[r.Host] = true
		s.mu.Unlock()
		w.fail(http.StatusForbidden, "Forbidden")
		w.ended = true
		return
	}
	token, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		token, path = bearer, strings.TrimPrefix(r.URL.Path, "/")
	}
	if subtle.ConstantTimeCompare([]byte(token), []byte(s.token)) != 1 {
		w.fail(http.StatusUnauthorized, "Unauthorized")
		return
	}
	switch path {
	case "version":
		w.reply(http.StatusOK, Object{"major": "1", "minor": "37", "gitVersion": "v1.37.0"})
		return
	case "api":
		w.reply(http.StatusOK, Object{"kind": "APIVersions", "versions": []any{"v1"}})
		return
	case "apis":
		w.reply(http.StatusOK, Object{"kind": "APIGroupList", "apiVersion": "v1", "groups": []any{}})
		return
	}
	q, ok := s.parse(r, path)
	switch {
	case !ok:
		w.fail(http.StatusNotFound, "NotFound")
	case q.resource == "":
		w.reply(http.StatusOK, Object{"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": q.version, "resources": []any{}})
	case r.Method != http.MethodGet:
		write(w, r, q)
	case q.name != "":
		s.get(w, q)
	case r.URL.Query().Get("watch") != "":
		s.watch(w, r, q)
	default:
		s.list(w, r, q)
	}
}

// A target is what a request is about.
type target struct {
	version   string // the apiVersion
	namespace string // empty for all namespaces
	resource  string // plural.group; empty if the request lists the resources of a group
	name      string // empty for all objects
	partial   bool   // only the metadata is wanted
}

// parse reads the path of a request, such as
// apis/networking.istio.io/v1/namespaces/shop/virtualservices/web. ok is false if
// the server has no such resource.
func (s *Server) parse(r *http.Request, path string) (q target, ok bool) {
	words := strings.Split(strings.Trim(path, "/"), "/")
	group := ""
	switch {
	case words[0] == "api" && len(words) > 1:
		q.version, words = words[1], words[2:]
	case words[0] == "apis" && len(words) > 2:
		group = words[1]
		q.version, words = words[1]+"/"+words[2], words[3:]
	default:
		return q, false
	}
	if len(words) == 0 {
		return q, true
	}
	if words[0] == "namespaces" && len(words) > 2 {
		q.namespace, words = words[1], words[2:]
	}
	q.resource = words[0]
	if group != "" {
		q.resource += "." + group
	}
	if len(words) > 1 {
		q.name = words[1]
	}
	q.partial = strings.Contains(r.Header.Get("Accept"), "as=PartialObjectMetadata")
	return q, s.kinds[q.resource] != "" || r.Method != http.MethodGet
}

func (s *Server) get(w *response, q target) {
	s.mu.Lock()
	o := s.objects.Get(q.resource, q.namespace+"/"+q.name)
	s.mu.Unlock()
	if o == nil {
		w.fail(http.StatusNotFound, "NotFound")
		return
	}
	w.reply(http.StatusOK, q.present(o))
}

// largestWrite limits the size of a write that is read.
const largestWrite = 8 << 20

// write answers a write with the object that was sent, as if it had been stored.
// Reviews of access are answered with yes.
func write(w *response, r *http.Request, q target) {
	o := Object{}
	if b, err := io.ReadAll(io.LimitReader(r.Body, largestWrite)); err != nil || json.Unmarshal(b, &o) != nil {
		o = Object{"metadata": Object{"name": q.name, "namespace": q.namespace}} // the body is Protobuf or a patch
	}
	if strings.Contains(q.resource, "reviews") {
		o["status"] = Object{"allowed": true, "authenticated": true}
	}
	code := http.StatusOK
	if r.Method == http.MethodPost {
		code = http.StatusCreated
	}
	w.reply(code, o)
}

// present returns an object in the version that was requested, or its metadata.
func (q target) present(o Object) Object {
	if q.partial {
		return Object{"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": o["metadata"]}
	}
	c := maps.Clone(o)
	c["apiVersion"] = q.version
	return c
}
