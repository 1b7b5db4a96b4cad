package mesh

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"
)

// documents splits a YAML stream.
func documents(b []byte) (docs [][]byte) {
	for _, doc := range bytes.Split(append([]byte("\n"), b...), []byte("\n---")) {
		if len(bytes.TrimSpace(doc)) > 0 {
			docs = append(docs, doc)
		}
	}
	return docs
}

// apply creates or updates the objects in a YAML stream. Objects without a namespace go to the given one.
func (m *Mesh) apply(ctx context.Context, namespace string, b []byte) error {
	return m.each(namespace, b, func(client dynamic.ResourceInterface, o *unstructured.Unstructured) error {
		_, err := client.Apply(ctx, o.GetName(), o, metav1.ApplyOptions{FieldManager: "e2e", Force: true})
		return err
	})
}

// Apply creates or updates the objects in a YAML stream, by default in the namespace default.
func (m *Mesh) Apply(ctx context.Context, text string) error {
	return m.apply(ctx, "default", []byte(text))
}

// Remove deletes the objects in a YAML stream, by default from the namespace default. Missing objects are no error.
func (m *Mesh) Remove(ctx context.Context, text string) error {
	return m.remove(ctx, "default", []byte(text))
}

// Restore applies Bookinfo and its Istio configuration again.
func (m *Mesh) Restore(ctx context.Context) error {
	return errors.Join(m.applyFile(ctx, filepath.Join(m.samples, "platform/kube/bookinfo.yaml")), m.configure(ctx))
}

// remove deletes the objects in a YAML stream. Missing objects are no error.
func (m *Mesh) remove(ctx context.Context, namespace string, b []byte) error {
	return m.each(namespace, b, func(client dynamic.ResourceInterface, o *unstructured.Unstructured) error {
		err := client.Delete(ctx, o.GetName(), metav1.DeleteOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return err
	})
}

func (m *Mesh) each(namespace string, b []byte, do func(dynamic.ResourceInterface, *unstructured.Unstructured) error) error {
	for _, doc := range documents(b) {
		o := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(doc, &o.Object); err != nil {
			return err
		}
		if o.GetKind() == "" {
			continue
		}
		kind := o.GroupVersionKind()
		mapping, err := m.mapper.RESTMapping(kind.GroupKind(), kind.Version)
		if err != nil {
			m.mapper.Reset() // discover types that were added meanwhile
			return err
		}
		var client dynamic.ResourceInterface = m.objects.Resource(mapping.Resource)
		if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
			if o.GetNamespace() == "" {
				o.SetNamespace(namespace)
			}
			client = m.objects.Resource(mapping.Resource).Namespace(o.GetNamespace())
		}
		if err := do(client, o); err != nil {
			return fmt.Errorf("%s %s: %w", o.GetKind(), o.GetName(), err)
		}
	}
	return nil
}
