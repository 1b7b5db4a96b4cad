package kube

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"sigs.k8s.io/yaml"

	"github.com/meshq/kubectl-meshq/sources/decode"
)

// FromYAML converts a body in YAML to JSON. The result is one list of all
// objects in the YAML documents, each of which may be a list or a single
// object.
func FromYAML(ctx context.Context, body decode.Bytes) ([]byte, error) {
	all, err := io.ReadAll(io.NewSectionReader(body, 0, body.Size()))
	if err != nil {
		return nil, err
	}
	out := bytes.NewBufferString(`{"kind":"List","items":[`)
	empty, line := out.Len(), 1
	for doc := range documents(all) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		text, err := yaml.YAMLToJSON(doc)
		if err != nil {
			return nil, fmt.Errorf("after line %d: %w", line, err)
		}
		line += bytes.Count(doc, []byte("\n")) + 1
		parts, err := split(ctx, text)
		if err != nil {
			return nil, err
		}
		for _, part := range parts {
			if out.Len() > empty {
				out.WriteByte(',')
			}
			out.Write(part)
		}
	}
	out.WriteString("]}")
	return out.Bytes(), nil
}

// split returns the items of a list, or the object itself if it isn't a list.
func split(ctx context.Context, text []byte) (parts [][]byte, err error) {
	const tagItem, tagItems = 1, 2
	isList := false
	items := &decode.Node{Walk: true, Visit: tagItems, Elem: &decode.Node{Walk: true, Visit: tagItem}}
	root := &decode.Node{Walk: true, Fields: []decode.Field{{Name: "items", Node: items}}}
	doc := &decode.Document{Bytes: bytes.NewReader(text)}
	_, err = doc.Pass(ctx, 0, -1, nil, root, func(tag int, _ any, off, end int64) error {
		if tag == tagItems {
			isList = true
		} else {
			parts = append(parts, text[off:end])
		}
		return nil
	})
	if err == nil && !isList && string(text) != "null" {
		parts = append(parts, text)
	}
	return parts, err
}

// documents splits YAML at its "---" lines.
func documents(all []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(all) > 0 {
			doc, rest := all, []byte(nil)
			for at := 0; ; {
				i := bytes.Index(all[at:], []byte("\n---"))
				if i < 0 {
					break
				}
				end := at + i + len("\n---")
				if end == len(all) || bytes.IndexByte([]byte(" \t\r\n"), all[end]) >= 0 {
					doc, rest = all[:at+i+1], all[end:]
					break
				}
				at = end
			}
			if !yield(doc) {
				return
			}
			all = rest
		}
	}
}
