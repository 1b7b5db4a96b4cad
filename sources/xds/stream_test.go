package xds

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
)

// A request is what a client sent: the fields of a DeltaDiscoveryRequest.
type request struct {
	node          []byte
	typ           Type
	names         []string
	acknowledging string
}

// server answers the delta streams with resources by type, over net/http's own HTTP/2
// server. It ends the stream with a message when asked for the type end.
func server(t *testing.T, resources map[Type]map[string][]byte, end Type, seen func(request)) *Client {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 || r.Header.Get("Content-Type") != "application/grpc" || r.URL.Path != method {
			t.Errorf("%s %s %v", r.Proto, r.URL.Path, r.Header)
		}
		w.Header().Set("Content-Type", "application/grpc")
		w.Header().Set("Trailer", "Grpc-Message")
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		for n := 1; ; n++ {
			q, err := readRequest(r.Body)
			if err != nil {
				return
			}
			seen(q)
			if q.acknowledging != "" {
				continue
			}
			if q.typ == end {
				w.Header().Set("Grpc-Message", "no more of that")
				return
			}
			w.Write(response(q, resources[q.typ], fmt.Sprintf("nonce%d", n)))
			w.(http.Flusher).Flush()
		}
	}))
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	t.Cleanup(s.Close)
	c := NewClient(strings.TrimPrefix(s.URL, "http://"))
	t.Cleanup(c.Close)
	return c
}

func readRequest(r io.Reader) (q request, err error) {
	var head [frameHead]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return q, err
	}
	b := make([]byte, binary.BigEndian.Uint32(head[1:]))
	if _, err := io.ReadFull(r, b); err != nil {
		return q, err
	}
	err = eachField(b, func(n protowire.Number, v []byte) error {
		switch n {
		case 1:
			q.node = v
		case 2:
			q.typ = Type(v)
		case 3:
			q.names = append(q.names, string(v))
		case 6:
			q.acknowledging = string(v)
		}
		return nil
	})
	return q, err
}

func response(q request, resources map[string][]byte, nonce string) []byte {
	b := make([]byte, frameHead)
	for name, body := range resources {
		if q.names != nil && !slices.Contains(q.names, name) {
			continue
		}
		r := appendText(nil, 3, name)
		r = appendBytes(r, 2, appendBytes(appendText(nil, 1, string(q.typ)), 2, body))
		b = appendBytes(b, 2, r)
	}
	b = appendText(b, 4, string(q.typ))
	b = appendText(b, 5, nonce)
	binary.BigEndian.PutUint32(b[1:], uint32(len(b)-frameHead))
	return b
}

func edsCluster(name, service string) []byte {
	b := protowire.AppendVarint(protowire.AppendTag(appendText(nil, 1, name), 2, protowire.VarintType), 3)
	return appendBytes(b, 3, appendText(nil, 2, service))
}

// routed is a listener whose connection manager gets its routes by RDS, and a filter by
// ECDS.
func routed(routes, extension string) []byte {
	manager := appendBytes(nil, 3, appendText(nil, 2, routes))
	manager = appendBytes(manager, 5, appendBytes(appendText(nil, 1, extension), 5, appendText(nil, 1, "x")))
	config := appendBytes(appendBytes(nil, 1, connectionManager), 2, manager)
	chain := appendBytes(nil, 3, appendBytes(appendText(nil, 1, "hcm"), 4, config))
	return appendBytes(appendText(nil, 1, "listener"), 3, chain)
}

var testNode = &Node{ID: "sidecar~10.0.0.1~web.shop~shop.svc.cluster.local", Cluster: "web.shop", Metadata: map[string]any{
	"LABELS": map[string]any{"app": "web"}, "N": json.Number("1.5"), "B": true, "L": []any{"a", nil}, "F": 2.0,
}, Region: "eu", Zone: "a"}

// TestAsk checks what is subscribed to, that the node is sent once, that responses are
// acknowledged, and that the names are those of the clusters and listeners.
func TestAsk(t *testing.T) {
	resources := map[Type]map[string][]byte{
		Clusters:  {"a": edsCluster("a", ""), "b": edsCluster("b", "service-b"), "static": appendText(nil, 1, "static")},
		Listeners: {"l": routed("http.80", "wasm")},
		Endpoints: {"a": []byte("x"), "service-b": []byte("y"), "other": []byte("z")},
		Routes:    {"http.80": []byte("r"), "extra": []byte("e")}, Extensions: {"wasm": []byte("w")},
	}
	seen := make(chan request, 100)
	c := server(t, resources, "", func(q request) { seen <- q })
	s, err := c.Open(t.Context(), testNode)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Ask(t.Context(), []string{"extra"}); err != nil {
		t.Fatal(err)
	}
	got := s.Resources()
	s.Close()
	want := map[Type]map[string][]byte{
		Clusters: resources[Clusters], Listeners: resources[Listeners], Routes: resources[Routes], Extensions: resources[Extensions],
		Endpoints: {"a": []byte("x"), "service-b": []byte("y")},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	nodes, acknowledged := 0, 0
	for len(seen) > 0 {
		q := <-seen
		if q.node != nil {
			nodes++
			if string(q.node) != string(testNode.wire()) {
				t.Error("another node")
			}
		}
		if q.acknowledging != "" {
			acknowledged++
		}
	}
	if nodes != 1 || acknowledged < 4 {
		t.Errorf("%d nodes, %d acknowledged", nodes, acknowledged)
	}
}

// TestNodeMetadata compares the metadata on the wire with the protobuf library's.
func TestNodeMetadata(t *testing.T) {
	s := &structpb.Struct{}
	if err := proto.Unmarshal(structOf(testNode.Metadata), s); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"LABELS": map[string]any{"app": "web"}, "N": 1.5, "B": true, "L": []any{"a", nil}, "F": 2.0}
	if diff := cmp.Diff(want, s.AsMap()); diff != "" {
		t.Error(diff)
	}
}

// TestStreamEnds checks the errors when istiod ends the stream, refuses it, or doesn't
// answer in time.
func TestStreamEnds(t *testing.T) {
	ignore := func(request) {}
	c := server(t, map[Type]map[string][]byte{Clusters: {}}, Listeners, ignore)
	s, err := c.Open(t.Context(), testNode)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Ask(t.Context(), nil); err == nil || !strings.HasPrefix(err.Error(), "web.shop: ") {
		t.Errorf("%v", err)
	}
	silent := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	silent.Config.Protocols = new(http.Protocols)
	silent.Config.Protocols.SetUnencryptedHTTP2(true)
	silent.Start()
	defer silent.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	quiet, err := NewClient(strings.TrimPrefix(silent.URL, "http://")).Open(t.Context(), testNode)
	if err != nil {
		t.Fatal(err)
	}
	defer quiet.Close()
	if err := quiet.Ask(ctx, nil); err == nil || !strings.Contains(err.Error(), "deadline") {
		t.Errorf("%v", err)
	}
	refused, err := NewClient("127.0.0.1:1").Open(t.Context(), testNode)
	if err != nil {
		t.Fatal(err)
	}
	defer refused.Close()
	if err := refused.Ask(t.Context(), nil); err == nil {
		t.Error("no error from a port that nobody listens on")
	}
}

// TestUndescribed checks that a resource with a message that the table doesn't have
// still differs from another one.
func TestUndescribed(t *testing.T) {
	d, err := NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	resource := func(body string) []byte { // a TypedExtensionConfig with an Any
		return appendBytes(appendText(nil, 1, "x"), 2, appendBytes(appendText(nil, 1, "type.googleapis.com/nobody.Knows"), 2, []byte(body)))
	}
	a, errA := d.JSON(Extensions, resource("1"))
	b, errB := d.JSON(Extensions, resource("2"))
	if errA != nil || errB != nil || string(a) == string(b) || !strings.Contains(string(a), `"@undescribed":"sha256:`) || !json.Valid(a) {
		t.Errorf("%s %v\n%s %v", a, errA, b, errB)
	}
	if _, err := d.JSON(Clusters, []byte{0x0a, 0xff}); err == nil {
		t.Error("bytes that are cut off are decoded")
	}
}
