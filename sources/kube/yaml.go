package kube

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"sigs.k8s.io/yaml"

	"github.com/meshq/kubectl-meshq/sources/decode"
)

// FromYAML gives the JSON of a body in YAML: one list of all that is in its
// documents, lists and single objects.
func FromYAML(body decode.Bytes) ([]byte, error) {
	all, err := io.ReadAll(io.NewSectionReader(body, 0, body.Size()))
	if err != nil {
		return nil, err
	}
	var items []json.RawMessage
	line := 1
	for doc := range documents(all) {
		text, err := yaml.YAMLToJSON(doc)
		if err != nil {
			return nil, fmt.Errorf("after line %d: %w", line, err)
		}
		line += bytes.Count(doc, []byte("\n")) + 1
		var list struct {
			Items *[]json.RawMessage `json:"items"`
		}
		switch err := json.Unmarshal(text, &list); {
		case err == nil && list.Items != nil:
			items = append(items, *list.Items...)
		case err == nil && string(text) != "null":
			items = append(items, text)
		}
	}
	return json.Marshal(map[string]any{"kind": "List", "items": items})
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
