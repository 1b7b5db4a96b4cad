package fleet

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
)

// An apiServer is the fleet's Kubernetes API server. It serves the fleet's pods in the encodings of a real one, the
// other recorded lists, and port forwarding into the pods.
type apiServer struct {
	fleet *Fleet
	all   []corev1.Pod
	lists map[string][]byte // the list of all pods by content type; encoded once, since the pods never change
	limit *limit
}

const (
	asJSON     = "application/json"
	asProtobuf = "application/vnd.kubernetes.protobuf"
)

func newAPIServer(f *Fleet) (*apiServer, error) {
	pods, err := f.pods()
	if err != nil {
		return nil, err
	}
	s := &apiServer{fleet: f, all: pods, lists: map[string][]byte{}, limit: newLimit(f.options.APIRate)}
	for _, kind := range []string{asJSON, asProtobuf} {
		if s.lists[kind], err = encode(pods, kind); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// encode encodes a list of pods as a real API server does.
func encode(pods []corev1.Pod, kind string) ([]byte, error) {
	meta := metav1.TypeMeta{APIVersion: "v1", Kind: "PodList"}
	list := corev1.PodList{TypeMeta: meta, ListMeta: metav1.ListMeta{ResourceVersion: "1000"}, Items: pods}
	if kind == asJSON {
		return json.Marshal(list)
	}
	list.TypeMeta = metav1.TypeMeta{}
	raw, err := list.Marshal()
	if err != nil {
		return nil, err
	}
	u := runtime.Unknown{TypeMeta: runtime.TypeMeta{APIVersion: meta.APIVersion, Kind: meta.Kind}, Raw: raw}
	text, err := u.Marshal()
	return append([]byte("k8s\x00"), text...), err
}

func (s *apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer s.fleet.counters.api.asked(pathOf(r))()
	part := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	time.Sleep(s.fleet.options.APILatency)
	if !s.limit.take() {
		s.fleet.counters.refusals.Add(1)
		if n := s.fleet.options.RetryAfter; n > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(n))
		}
		s.refuse(w, http.StatusTooManyRequests, metav1.StatusReasonTooManyRequests, "too many requests, please try again later")
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+token {
		s.refuse(w, http.StatusUnauthorized, metav1.StatusReasonUnauthorized, "Unauthorized")
		return
	}
	switch {
	case len(part) == 7 && part[0] == "api" && part[4] == "pods" && part[6] == "portforward":
		s.forward(w, r, part[5]+"."+part[3])
	case r.Method != http.MethodGet:
		s.refuse(w, http.StatusMethodNotAllowed, metav1.StatusReasonMethodNotAllowed, "the fleet is only looked at")
	case len(part) == 3 && part[0] == "api" && part[2] == "pods":
		s.pods(w, r, "")
	case len(part) == 5 && part[0] == "api" && part[4] == "pods":
		s.pods(w, r, part[3])
	case len(part) == 3 && part[0] == "api":
		s.list(w, r, part[2])
	case len(part) == 2 && part[0] == "apis":
		s.group(w, r, part[1])
	case len(part) == 4 && part[0] == "apis":
		s.list(w, r, part[3]+"."+part[1])
	default:
		s.notFound(w)
	}
}

// pathOf returns the method and path that a request is counted under. Port-forward requests are counted together,
// without the pod's name.
func pathOf(r *http.Request) string {
	if i := strings.LastIndexByte(r.URL.Path, '/'); strings.HasSuffix(r.URL.Path, "/portforward") {
		return r.Method + " " + r.URL.Path[i:]
	}
	return r.Method + " " + r.URL.Path
}

// pods lists the pods of one namespace, or of all if namespace is empty.
func (s *apiServer) pods(w http.ResponseWriter, r *http.Request, namespace string) {
	kind := asJSON
	if strings.Contains(r.Header.Get("Accept"), asProtobuf) {
		kind = asProtobuf
	}
	selector, err := labels.Parse(r.URL.Query().Get("labelSelector"))
	if err != nil {
		s.refuse(w, http.StatusBadRequest, metav1.StatusReasonBadRequest, err.Error())
		return
	}
	out := s.lists[kind]
	if namespace != "" || !selector.Empty() {
		var some []corev1.Pod
		for _, p := range s.all {
			if (namespace == "" || p.Namespace == namespace) && selector.Matches(labels.Set(p.Labels)) {
				some = append(some, p)
			}
		}
		if out, err = encode(some, kind); err != nil {
			s.refuse(w, http.StatusInternalServerError, metav1.StatusReasonInternalError, err.Error())
			return
		}
	}
	s.write(w, kind, out)
}

// list writes the recorded list of a resource.
func (s *apiServer) list(w http.ResponseWriter, _ *http.Request, resource string) {
	b, err := s.fleet.capture.kubernetes(resource)
	if err != nil {
		s.notFound(w)
		return
	}
	s.write(w, asJSON, b)
}

// group writes the discovery document of an API group. Only groups with a recorded object are known.
func (s *apiServer) group(w http.ResponseWriter, _ *http.Request, name string) {
	for _, resource := range s.fleet.capture.resources() {
		if _, of, _ := strings.Cut(resource, "."); of != name {
			continue
		}
		items, err := s.fleet.capture.items(resource)
		if err != nil || len(items) == 0 {
			continue
		}
		var first metav1.TypeMeta
		if json.Unmarshal(items[0], &first) != nil {
			continue
		}
		v := metav1.GroupVersionForDiscovery{GroupVersion: first.APIVersion, Version: strings.TrimPrefix(first.APIVersion, name+"/")}
		b, err := json.Marshal(metav1.APIGroup{TypeMeta: metav1.TypeMeta{Kind: "APIGroup", APIVersion: "v1"}, Name: name, Versions: []metav1.GroupVersionForDiscovery{v}, PreferredVersion: v})
		if err == nil {
			s.write(w, asJSON, b)
			return
		}
	}
	s.notFound(w)
}

func (s *apiServer) write(w http.ResponseWriter, kind string, b []byte) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	n, _ := w.Write(b) // the client may have closed the connection
	s.fleet.counters.api.sent(int64(n))
	s.fleet.counters.answered()
}

func (s *apiServer) notFound(w http.ResponseWriter) {
	s.refuse(w, http.StatusNotFound, metav1.StatusReasonNotFound, "the server could not find the requested resource")
}

func (s *apiServer) refuse(w http.ResponseWriter, code int, reason metav1.StatusReason, message string) {
	w.Header().Set("Content-Type", asJSON)
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(metav1.Status{ // the client may have closed the connection
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusFailure,
		Code: int32(code), Reason: reason, Message: message,
	})
}

// A limit is a rate limiter. With a rate of 0 every request passes.
type limit struct {
	rate float64
	mu   sync.Mutex
	left float64
	last time.Time
}

func newLimit(rate float64) *limit { return &limit{rate: rate, left: rate, last: time.Now()} }

// take reports whether one more request may pass now.
func (l *limit) take() bool {
	if l.rate <= 0 {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.left = min(l.rate, l.left+now.Sub(l.last).Seconds()*l.rate)
	l.last = now
	if l.left < 1 {
		return false
	}
	l.left--
	return true
}
