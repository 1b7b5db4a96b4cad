package query

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"

	"github.com/meshq/kubectl-meshq/query/syntax"
)

// modules finds what import and include name. As in jq, "a/b" is a/b.jq or
// a/b/b.jq (a/b.json for data); a {search: "dir"} goes in front of the name.
type modules struct {
	roots []fs.FS
	data  func(fs.File) ([]any, error)
}

// Module gives the parsed module of that name.
func (m *modules) Module(name string, search any) (*syntax.Program, error) {
	f, file, err := m.open(name, search, ".jq")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := readAll(f)
	if err != nil {
		return nil, fmt.Errorf("module %q: %w", name, err)
	}
	return syntax.Parse(file, text)
}

// Data gives the JSON values of the file of that name, as jq does: an array.
func (m *modules) Data(name string, search any) (any, error) {
	f, file, err := m.open(name, search, ".json")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if m.data == nil {
		return nil, fmt.Errorf("%s: data can't be imported here", file)
	}
	vs, err := m.data(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if vs == nil {
		vs = []any{}
	}
	return vs, nil
}

func (m *modules) open(name string, search any, ext string) (fs.File, string, error) {
	for _, dir := range searched(search) {
		base := path.Join(dir, name)
		for _, file := range []string{base + ext, path.Join(base, path.Base(name)+ext)} {
			if !fs.ValidPath(file) || !fs.ValidPath(name) {
				return nil, "", fmt.Errorf("module %q: a module is named by a path inside the library folders", name)
			}
			for _, root := range m.roots {
				f, err := root.Open(file)
				if err == nil {
					return f, shown(root, file), nil
				}
				if !errors.Is(err, fs.ErrNotExist) {
					return nil, "", fmt.Errorf("module %q: %w", name, err)
				}
			}
		}
	}
	return nil, "", fmt.Errorf("module %q: not in the library folders", name)
}

// shown is a file as errors show it: behind its folder's name, if that has one.
func shown(root fs.FS, file string) string {
	if n, ok := root.(interface{ Name() string }); ok {
		return path.Join(n.Name(), file)
	}
	return file
}

// searched gives the folders that a {search: …} asks for, inside each root.
func searched(search any) []string {
	switch s := search.(type) {
	case string:
		return []string{s}
	case []any:
		var out []string
		for _, d := range s {
			if d, ok := d.(string); ok {
				out = append(out, d)
			}
		}
		if out != nil {
			return out
		}
	}
	return []string{"."}
}

// mostModule is the size of the largest module that is read.
const mostModule = 16 << 20

func readAll(f fs.File) (string, error) {
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if info.IsDir() || info.Size() > mostModule {
		return "", errors.New("not a file of a reasonable size")
	}
	text, err := io.ReadAll(io.LimitReader(f, mostModule+1))
	if len(text) > mostModule {
		return "", errors.New("not a file of a reasonable size")
	}
	return string(text), err
}
