package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/yaml"
)

// gatewayModule is the module with the definitions of the Gateway API's resources.
const gatewayModule = "sigs.k8s.io/gateway-api@v1.6.0"

// objects are the Kubernetes types that a mesh uses, and types whose content must
// not be shown, such as Secret.
var objects = []any{
	corev1.Pod{}, corev1.Service{}, corev1.Node{}, corev1.Namespace{}, corev1.ConfigMap{}, corev1.Secret{}, corev1.ServiceAccount{},
	//lint:ignore SA1019 older clusters, and snapshots of them, have them
	corev1.Endpoints{}, discoveryv1.EndpointSlice{}, networkingv1.NetworkPolicy{}, metav1.ListMeta{},
}

// kubernetes generates the table of Kubernetes objects from their Go types, and that
// of the Gateway API's objects from their CustomResourceDefinitions. The name of a
// message contains the API group of its package, as in "k8s.core.Pod". A message
// inside a definition is named after its path.
func kubernetes() ([]byte, error) {
	lines := map[string]string{}
	for _, o := range objects {
		structOf(reflect.TypeOf(o), lines)
	}
	if err := gateways(lines); err != nil {
		return nil, err
	}
	out := bytes.NewBufferString(header)
	for _, name := range slices.Sorted(maps.Keys(lines)) {
		out.WriteString(name + lines[name] + "\n")
	}
	return out.Bytes(), nil
}

// structOf adds lines to the table: one for a struct, and one for each struct in its
// fields. It returns the name of the struct's message.
func structOf(t reflect.Type, lines map[string]string) string {
	words := strings.Split(t.PkgPath(), "/")
	name := "k8s." + words[len(words)-2] + "." + t.Name()
	if _, ok := lines[name]; ok {
		return name
	}
	lines[name] = "" // add the name first, because a struct may contain itself
	lines[name] = members(t, lines)
	return name
}

func members(t reflect.Type, lines map[string]string) (line string) {
	for i := range t.NumField() {
		f := t.Field(i)
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case tag == "-":
		case tag == "":
			line += members(f.Type, lines)
		default:
			line += " " + tag + held(f.Type, lines)
		}
	}
	return line
}

// held returns the table's mark for the content of a Go type, for example "#" for a
// scalar.
func held(t reflect.Type, lines map[string]string) string {
	switch t {
	case reflect.TypeFor[metav1.Time](), reflect.TypeFor[metav1.MicroTime](), reflect.TypeFor[resource.Quantity](), reflect.TypeFor[metav1.Duration]():
		return "#"
	case reflect.TypeFor[intstr.IntOrString]():
		return ""
	case reflect.TypeFor[metav1.FieldsV1](), reflect.TypeFor[runtime.RawExtension]():
		return "*"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return held(t.Elem(), lines)
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return ""
		}
		return "[]" + held(t.Elem(), lines)
	case reflect.Map:
		return "%" + strings.TrimPrefix(held(t.Elem(), lines), "[]")
	case reflect.Struct:
		return "=" + structOf(t, lines)
	case reflect.String:
		return ""
	}
	return "#"
}

// A definition is the part of an OpenAPI schema that the table needs: the names of the
// fields, and which of them are strings.
type definition struct {
	Type                 string                `json:"type"`
	Properties           map[string]definition `json:"properties"`
	Items                *definition           `json:"items"`
	AdditionalProperties *definition           `json:"additionalProperties"`
}

// gateways adds a line for each of the Gateway API's kinds to the table. The line of
// a kind has the fields of all versions of that kind.
func gateways(lines map[string]string) error {
	dir, err := moduleDir(gatewayModule)
	if err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(dir, "config", "crd", "experimental", "gateway.networking.k8s.io_*.yaml"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no definitions in %s: %v", dir, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		var crd struct {
			Kind string
			Spec struct {
				Names    struct{ Kind string }
				Versions []struct {
					Schema struct{ OpenAPIV3Schema definition }
				}
			}
		}
		if err := yaml.Unmarshal(text, &crd); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if crd.Kind != "CustomResourceDefinition" {
			continue
		}
		whole := definition{Properties: map[string]definition{}}
		for _, v := range crd.Spec.Versions {
			whole.add(v.Schema.OpenAPIV3Schema)
		}
		whole.object("gateway."+crd.Spec.Names.Kind, lines)
	}
	return nil
}

// add adds the properties of another version that this version doesn't have.
func (d *definition) add(other definition) {
	for name, p := range other.Properties {
		have, ok := d.Properties[name]
		if ok && have.Properties != nil {
			have.add(p)
		} else if !ok {
			d.Properties[name] = p
		}
	}
}

func (d *definition) object(name string, lines map[string]string) {
	line := ""
	for _, p := range slices.Sorted(maps.Keys(d.Properties)) {
		if p == "metadata" {
			line += " metadata=k8s.meta.ObjectMeta"
			continue
		}
		inner := d.Properties[p]
		line += " " + p + inner.held(name+"."+p, lines)
	}
	lines[name] = line
}

// held returns the table's mark for the content of a property. If the property is a
// message, held adds that message to the table under the given name.
func (d *definition) held(name string, lines map[string]string) string {
	switch {
	case d.Type == "array" && d.Items != nil:
		return "[]" + d.Items.held(name, lines)
	case d.Type == "object" && d.AdditionalProperties != nil:
		return "%" + d.AdditionalProperties.held(name, lines)
	case d.Type == "object" && len(d.Properties) == 0:
		return "*"
	case d.Type == "object":
		d.object(name, lines)
		return "=" + name
	case d.Type == "integer" || d.Type == "number" || d.Type == "boolean":
		return "#"
	}
	return ""
}
