package kube

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// enveloped encodes a list as the API server does.
func enveloped(t testing.TB, kind string, list *corev1.PodList) []byte {
	t.Helper()
	raw, err := list.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	u := runtime.Unknown{TypeMeta: runtime.TypeMeta{APIVersion: "v1", Kind: kind}, Raw: raw}
	b, err := u.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte("k8s\x00"), b...)
}

// manyPods returns the recorded pods, and some pods with fields that the
// recorded ones don't have.
func manyPods(t testing.TB, recorded []byte) *corev1.PodList {
	t.Helper()
	list := &corev1.PodList{ListMeta: metav1.ListMeta{ResourceVersion: "12", Continue: "x"}}
	if err := object.Unmarshal(recorded, list); err != nil {
		t.Fatal(err)
	}
	always, controller := corev1.ContainerRestartPolicyAlways, true
	list.Items = append(list.Items,
		corev1.Pod{},
		corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{
				Name: "native", Namespace: "x", Labels: map[string]string{"pod-template-hash": "1"},
				OwnerReferences: []metav1.OwnerReference{{Kind: "Node", Name: "n"}, {Kind: "ReplicaSet", Name: "web-1", Controller: &controller}},
			},
			Spec: corev1.PodSpec{
				InitContainers: []corev1.Container{{Name: "istio-proxy", RestartPolicy: &always, Args: []string{"proxy", "waypoint"}}},
				Containers:     []corev1.Container{{Name: "app", Args: []string{"<&>", "ü"}}},
			},
			Status: corev1.PodStatus{Phase: corev1.PodSucceeded, PodIP: "10.0.0.1"},
		})
	return list
}

// TestProtobufPods checks that a list in Protobuf contains the same pods as in
// JSON.
func TestProtobufPods(t *testing.T) {
	wanted := list(t, "pods")
	many := manyPods(t, read(t, stale+"pods.json"))
	body := enveloped(t, "PodList", many)
	many.TypeMeta = metav1.TypeMeta{Kind: "PodList", APIVersion: "v1"}
	text, err := json.Marshal(many)
	if err != nil {
		t.Fatal(err)
	}
	want, err := Pods(t.Context(), document(text))
	if err != nil {
		t.Fatal(err)
	}
	got, err := ProtobufPods(t.Context(), bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Error(d)
	}
	if last := got[len(got)-1]; len(got) != 10 || last.Workload != "web" || last.Type != "waypoint" || !last.Over {
		t.Errorf("%d pods, the last %+v", len(got), last)
	}

	same, err := ProtobufJSON(t.Context(), bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	objects := func(text []byte) any {
		all, err := Objects(t.Context(), wanted, document(text), nil)
		if err != nil {
			t.Fatal(err)
		}
		return written(t, all)
	}
	if d := cmp.Diff(objects(text), objects(same)); d != "" {
		t.Error(d)
	}
}

func TestProtobufOfNoPods(t *testing.T) {
	body := enveloped(t, "PodList", &corev1.PodList{})
	if pods, err := ProtobufPods(t.Context(), bytes.NewReader(body)); err != nil || len(pods) != 0 {
		t.Errorf("%v %v", pods, err)
	}
	if text, err := ProtobufJSON(t.Context(), bytes.NewReader(body)); err != nil || string(text) != `{"kind":"PodList","apiVersion":"v1","items":[]}` {
		t.Errorf("%s %v", text, err)
	}
}

// TestBrokenProtobuf checks that a list that is truncated at any byte is an
// error.
func TestBrokenProtobuf(t *testing.T) {
	whole := enveloped(t, "PodList", manyPods(t, read(t, stale+"pods.json")))
	head := len(whole) - 4 // the last four bytes are contentEncoding and contentType, both empty
	for i := 0; i < head; i += 1 + i/50 {
		if pods, err := ProtobufPods(t.Context(), bytes.NewReader(whole[:i])); err == nil {
			t.Errorf("cut at %d of %d: %d pods, and no error", i, len(whole), len(pods))
		}
	}
	for text, want := range map[string]string{
		"{}":                              "not a Kubernetes object in protobuf",
		"k8s\x00\x0b":                     "not protobuf: wire type 3",
		"k8s\x00\x12\xff\xff\xff\xff\x7f": "ends in the middle of the pods",
		"k8s\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff": "not protobuf: a number of more than 64 bits",
		string(enveloped(t, "NodeList", &corev1.PodList{})):   `a "NodeList" of "v1", not a PodList of v1`,
	} {
		_, err := ProtobufPods(t.Context(), bytes.NewReader([]byte(text)))
		if err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ProtobufJSON(ctx, bytes.NewReader(whole)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func FuzzProtobufPods(f *testing.F) {
	f.Add(enveloped(f, "PodList", &corev1.PodList{Items: []corev1.Pod{{ObjectMeta: metav1.ObjectMeta{Name: "a"}}}}))
	f.Add([]byte("k8s\x00\x12\x05\x12\x03\x0a\x01\x01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		pods, err := ProtobufPods(t.Context(), bytes.NewReader(b))
		text, err2 := ProtobufJSON(t.Context(), bytes.NewReader(b))
		if (err == nil) != (err2 == nil) {
			t.Fatalf("%v, %v", err, err2)
		}
		if err == nil && !json.Valid(text) {
			t.Fatalf("%d pods, not JSON: %s", len(pods), text)
		}
	})
}

func BenchmarkProtobufPods(b *testing.B) {
	list := &corev1.PodList{}
	recorded := manyPods(b, read(b, stale+"pods.json")).Items
	for len(list.Items) < 2000 {
		list.Items = append(list.Items, recorded...)
	}
	body := enveloped(b, "PodList", list)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ProtobufPods(b.Context(), bytes.NewReader(body)); err != nil {
			b.Fatal(err)
		}
	}
}

// TestTextsAreSorted checks that labels are sorted by key, as in JSON. In Protobuf
// and in Go, the members of a map have no fixed order.
func TestTextsAreSorted(t *testing.T) {
	from := map[string]string{}
	for i := range 20 {
		from[string(rune('t'-i))] = "x"
	}
	if keys := texts(from).Keys(); !slices.IsSorted(keys) {
		t.Error(keys)
	}
}
