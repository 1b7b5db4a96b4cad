package kube

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// ProtobufPods reads a list of pods that the API server has encoded in Protobuf. It
// decodes one pod after another.
func ProtobufPods(ctx context.Context, body decode.Bytes) ([]Pod, error) {
	var pods []Pod
	err := eachPod(ctx, body, func(p *corev1.Pod) error {
		pods = append(pods, pod(toObject(p)))
		return nil
	})
	return pods, err
}

// ProtobufJSON converts a list of pods in Protobuf to the JSON that the API server would
// have sent.
func ProtobufJSON(ctx context.Context, body decode.Bytes) ([]byte, error) {
	var out bytes.Buffer
	if err := WriteProtobufJSON(ctx, &out, body); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// WriteProtobufJSON writes the result of [ProtobufJSON] to w, one pod after another.
func WriteProtobufJSON(ctx context.Context, w io.Writer, body decode.Bytes) error {
	out := bufio.NewWriter(w)
	out.WriteString(`{"kind":"PodList","apiVersion":"v1","items":[`)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	first := true
	err := eachPod(ctx, body, func(p *corev1.Pod) error {
		if !first {
			out.WriteByte(',')
		}
		first = false
		return enc.Encode(p)
	})
	if err != nil {
		return err
	}
	out.WriteString("]}")
	return out.Flush()
}

// toObject returns the parts of a pod that [Pods] reads, in their JSON form, so that the
// same code recognizes a proxy's pod in both encodings.
func toObject(p *corev1.Pod) *object.Object {
	var owners, ips, conditions []any
	for _, o := range p.OwnerReferences {
		owners = append(owners, object.Of("kind", o.Kind, "name", o.Name, "controller", o.Controller != nil && *o.Controller))
	}
	for _, ip := range p.Status.PodIPs {
		ips = append(ips, object.Of("ip", ip.IP))
	}
	for _, c := range p.Status.Conditions {
		conditions = append(conditions, object.Of("type", string(c.Type), "status", string(c.Status)))
	}
	return object.Of(
		"metadata", object.Of(
			"name", p.Name, "namespace", p.Namespace, "ownerReferences", owners,
			"labels", texts(p.Labels), "annotations", texts(p.Annotations),
		),
		"spec", object.Of(
			"nodeName", p.Spec.NodeName, "serviceAccountName", p.Spec.ServiceAccountName,
			"containers", containers(p.Spec.Containers), "initContainers", containers(p.Spec.InitContainers),
		),
		"status", object.Of(
			"phase", string(p.Status.Phase), "podIP", p.Status.PodIP, "podIPs", ips, "conditions", conditions,
		),
	)
}

func texts(from map[string]string) *object.Object {
	if from == nil {
		return nil
	}
	m := object.New(len(from))
	for _, k := range slices.Sorted(maps.Keys(from)) {
		m.Set(k, from[k])
	}
	return m
}

func containers(from []corev1.Container) []any {
	var all []any
	for _, c := range from {
		m := object.Of("name", c.Name)
		if c.RestartPolicy != nil {
			m.Set("restartPolicy", string(*c.RestartPolicy))
		}
		var args []any
		for _, a := range c.Args {
			args = append(args, a)
		}
		m.Set("args", args)
		all = append(all, m)
	}
	return all
}

// envelope is the prefix of the API server's Protobuf answers. After it comes a
// runtime.Unknown that contains the object.
const envelope = "k8s\x00"

// These are the numbers of the message fields that are read here. The
// Kubernetes library decodes the pods themselves.
const (
	unknownType = 1 // a field of runtime.Unknown
	unknownRaw  = 2
	listItems   = 2 // a field of corev1.PodList
)

var errEnds = errors.New("ends in the middle of the pods")

// eachPod decodes one pod at a time, because the list of all pods of a large cluster
// takes hundreds of megabytes.
func eachPod(ctx context.Context, body decode.Bytes, yield func(*corev1.Pod) error) error {
	w := &protoReader{in: bufio.NewReaderSize(io.NewSectionReader(body, 0, body.Size()), 64<<10), left: body.Size()}
	if head, err := w.bytes(int64(len(envelope))); err != nil || string(head) != envelope {
		return errors.New("not a Kubernetes object in protobuf")
	}
	var typed, listed bool
	for w.left > 0 {
		field, size, err := w.field()
		switch {
		case err != nil:
		case field == unknownType:
			typed, err = true, w.checkType(size)
		case field == unknownRaw && typed:
			listed, err = true, w.pods(ctx, size, yield)
		default:
			err = w.skip(size)
		}
		if err != nil {
			return err
		}
	}
	if !listed {
		return errEnds
	}
	return nil
}

// A protoReader reads the fields of a Protobuf message one after another.
type protoReader struct {
	in   *bufio.Reader
	left int64 // number of bytes of the message that are left
}

// checkType checks that the encoded object is a list of pods.
func (w *protoReader) checkType(size int64) error {
	b, err := w.bytes(size)
	if err != nil {
		return err
	}
	var t runtime.TypeMeta
	if err := t.Unmarshal(b); err != nil {
		return err
	}
	if t.Kind != "PodList" || t.APIVersion != "v1" {
		return fmt.Errorf("a %q of %q, not a PodList of v1", t.Kind, t.APIVersion)
	}
	return nil
}

// pods calls yield with each pod of a PodList. The list is encoded in the next size
// bytes.
func (w *protoReader) pods(ctx context.Context, size int64, yield func(*corev1.Pod) error) error {
	for end := w.left - size; w.left > end; {
		if err := ctx.Err(); err != nil {
			return err
		}
		field, size, err := w.field()
		if err != nil {
			return err
		}
		if field != listItems {
			if err := w.skip(size); err != nil {
				return err
			}
			continue
		}
		b, err := w.bytes(size)
		if err != nil {
			return err
		}
		var p corev1.Pod
		if err := p.Unmarshal(b); err != nil {
			return err
		}
		if err := yield(&p); err != nil {
			return err
		}
	}
	return nil
}

// field reads the header of a field: its number and the size of its content. It
// skips the value of a numeric field and returns size 0, since no numeric field
// is needed.
func (w *protoReader) field() (number uint64, size int64, err error) {
	tag, err := w.number()
	if err != nil {
		return 0, 0, err
	}
	var n uint64
	switch tag & 7 {
	case 0:
		_, err = w.number()
		return 0, 0, err
	case 1:
		return 0, 8, nil
	case 5:
		return 0, 4, nil
	case 2:
		if n, err = w.number(); err != nil {
			return 0, 0, err
		}
	default:
		return 0, 0, fmt.Errorf("not protobuf: wire type %d", tag&7)
	}
	if n > math.MaxInt64 || int64(n) > w.left {
		return 0, 0, errEnds
	}
	return tag >> 3, int64(n), nil
}

func (w *protoReader) number() (n uint64, err error) {
	for shift := 0; shift < 64; shift += 7 {
		if w.left == 0 {
			return 0, errEnds
		}
		b, err := w.in.ReadByte()
		if err != nil {
			return 0, err
		}
		w.left--
		n |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return n, nil
		}
	}
	return 0, errors.New("not protobuf: a number of more than 64 bits")
}

func (w *protoReader) bytes(n int64) ([]byte, error) {
	if n > w.left {
		return nil, errEnds
	}
	b := make([]byte, n)
	m, err := io.ReadFull(w.in, b)
	w.left -= int64(m)
	return b, err
}

func (w *protoReader) skip(n int64) error {
	if n > w.left {
		return errEnds
	}
	m, err := io.CopyN(io.Discard, w.in, n)
	w.left -= m
	return err
}
