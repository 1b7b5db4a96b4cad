package sources

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	k8s "k8s.io/apimachinery/pkg/runtime"

	"github.com/meshq/kubectl-meshq/sources/object"
	"github.com/meshq/kubectl-meshq/sources/recording"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// A protobufSource returns the pods in protobuf, as an API server can do.
type protobufSource struct {
	transport.Source
	pods []byte
}

func (p *protobufSource) List(ctx context.Context, resource string) (*transport.Body, error) {
	if resource == "pods" {
		return &transport.Body{Bytes: bytes.NewReader(p.pods), Name: "pods", Form: transport.Protobuf}, nil
	}
	return p.Source.List(ctx, resource)
}

// TestRecordProtobuf checks that pods received as protobuf are recorded as JSON,
// without the values of their environment variables.
func TestRecordProtobuf(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(capture, "kubernetes/pods.json"))
	if err != nil {
		t.Fatal(err)
	}
	list := &corev1.PodList{}
	if err := object.Unmarshal(text, list); err != nil {
		t.Fatal(err)
	}
	for i := range list.Items {
		list.Items[i].Spec.Containers[0].Env = []corev1.EnvVar{{Name: "A", Value: "s3cr3t"}}
	}
	raw, err := list.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	u := k8s.Unknown{TypeMeta: k8s.TypeMeta{APIVersion: "v1", Kind: "PodList"}, Raw: raw}
	envelope, err := u.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	whole := append([]byte("k8s\x00"), envelope...)
	m := open(t, Options{}, transport.Source(&protobufSource{source(t, capture), whole}))
	var sh shelf
	if _, err := m.Record(t.Context(), &sh, recording.Options{}); err != nil {
		t.Fatal(err)
	}
	recorded := decoded[corev1.PodList](t, []byte(sh.files["kubernetes/pods.json"]))
	if len(recorded.Items) != len(list.Items) || len(list.Items) == 0 {
		t.Fatalf("%d pods, not %d", len(recorded.Items), len(list.Items))
	}
	for i, p := range recorded.Items {
		if env := p.Spec.Containers[0].Env; p.Name != list.Items[i].Name || len(env) != 1 || env[0].Value != "[redacted]" {
			t.Errorf("%s: %v", p.Name, env)
		}
	}
	cut := open(t, Options{}, transport.Source(&protobufSource{source(t, capture), whole[:len(whole)-5]}))
	sh = shelf{}
	r, err := cut.Record(t.Context(), &sh, recording.Options{})
	if _, there := sh.files["kubernetes/pods.json"]; err != nil || there || len(r.Faults) != 1 || !strings.HasPrefix(r.Faults[0].Error(), "kubernetes: pods: ") {
		t.Errorf("%v %+v", err, r)
	}
	full := errors.New("the disk is full")
	if _, err := m.Record(t.Context(), failing{full}, recording.Options{}); !errors.Is(err, full) {
		t.Errorf("%v", err)
	}
}

// A failing archive returns an error when pods are added to it, and doesn't
// read them.
type failing struct{ err error }

func (f failing) Add(name string, size int64, r io.Reader) error {
	if name == "kubernetes/pods.json" {
		return f.err
	}
	return (&shelf{}).Add(name, size, r)
}

// TestRecordYAML checks that recording a bug report produces a snapshot with the
// same content. The bug report's objects are in YAML, and its Envoys' responses are
// text.
func TestRecordYAML(t *testing.T) {
	m := shared(t, "captures/istioctl-bug-report.tar.gz")
	archive, r := record(t, m, recording.Options{})
	again := open(t, Options{}, reopened(t, archive))
	for _, field := range []string{"pods", "services", "virtualServices", "nodes"} {
		said, says := plain(t, at(t, m.Document(), field)), plain(t, at(t, again.Document(), field))
		a, _ := json.Marshal(forgiven(said, says))
		b, _ := json.Marshal(says)
		if len(a) < 100 || !bytes.Equal(a, b) {
			t.Errorf("%s: %d bytes, not %d", field, len(b), len(a))
		}
	}
	was, _ := proxies(t, m)
	is, _ := proxies(t, again)
	if a, b := lengths(t, was[gateway]), lengths(t, is[gateway]); a != b || len(r.Faults) > 0 {
		t.Errorf("%s\n%s\n%+v", a, b, r)
	}
	if got := at(t, at(t, is[gateway], "endpoints").([]any)[0], "outlier"); got != "OK" {
		t.Errorf("outlier %v", got)
	}
}
