package change

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/meshq/kubectl-meshq/plugin/process"
)

// Read returns the objects in files, in their order. A path is a file of YAML
// documents or JSON values, a folder (of which it reads the files that end in .yaml,
// .yml or .json), or "-" for standard input. The elements of Lists are objects of
// their own.
func Read(ctx context.Context, in io.Reader, paths []string) (all []map[string]any, err error) {
	for _, path := range paths {
		files := []string{path}
		if info, err := os.Stat(path); path != "-" && err == nil && info.IsDir() {
			if files, err = within(path); err != nil {
				return nil, err
			}
		}
		for _, file := range files {
			objects, err := readFile(ctx, in, file)
			if err != nil {
				return nil, process.Usagef("%s: %s", file, process.Fact(err))
			}
			all = append(all, objects...)
		}
	}
	if len(all) == 0 {
		return nil, process.Usagef("%s: no objects", strings.Join(paths, ", "))
	}
	return all, nil
}

// within returns the files of a folder that kubectl apply would read.
func within(folder string) (files []string, err error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, process.Usagef("%s: %s", folder, process.Fact(err))
	}
	for _, e := range entries {
		if slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(e.Name())) && !e.IsDir() {
			files = append(files, filepath.Join(folder, e.Name()))
		}
	}
	return files, nil
}

// longest limits the size of a file.
const longest = 64 << 20

func readFile(ctx context.Context, in io.Reader, path string) ([]map[string]any, error) {
	if path == "-" {
		text, err := process.Await(ctx, func() ([]byte, error) { return io.ReadAll(io.LimitReader(in, longest+1)) })
		if err == nil && len(text) > longest {
			err = fmt.Errorf("more than %d bytes", longest)
		}
		if err != nil {
			return nil, err
		}
		return Decode(text)
	}
	text, err := process.ReadWhole(ctx, path)
	if err != nil {
		return nil, err
	}
	return Decode(text)
}

// Decode returns the objects of YAML documents or JSON values. Numbers are
// json.Number.
func Decode(text []byte) (all []map[string]any, err error) {
	const head = 4096 // how far the decoder looks for JSON
	d := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), head)
	for n := 1; ; n++ {
		var raw json.RawMessage
		switch err := d.Decode(&raw); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, fmt.Errorf("document %d: %w", n, err)
		}
		if len(raw) == 0 || string(raw) == "null" { // an empty document
			continue
		}
		objects, err := decodeOne(raw)
		if err != nil {
			return nil, fmt.Errorf("document %d: %w", n, err)
		}
		all = append(all, objects...)
	}
}

func decodeOne(raw []byte) (all []map[string]any, err error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var o map[string]any
	if err := d.Decode(&o); err != nil {
		return nil, errors.New("not a Kubernetes object")
	}
	kind, _ := o["kind"].(string)
	items, ok := o["items"].([]any)
	if !ok || !strings.HasSuffix(kind, "List") {
		return []map[string]any{o}, nil
	}
	for _, item := range items {
		element, ok := item.(map[string]any)
		if !ok {
			return nil, errors.New("a List with an element that is no object")
		}
		all = append(all, element)
	}
	return all, nil
}
