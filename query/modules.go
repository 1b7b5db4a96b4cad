package query

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"

	"github.com/meshq/kubectl-meshq/query/syntax"
)

// modules finds the files for import and include. As in jq, "a/b" means the file
// a/b.jq or a/b/b.jq (a/b.json for data). The file is in the folder of the
// importing module, or in a library folder. {search: "dir"} is relative to the
// importing module. In the program itself, it is relative to each library folder.
type modules struct {
	roots []fs.FS
	data  func(fs.File) ([]any, error)
}

// A folder is a folder that may contain modules. It is a library folder, or inside
// one.
type folder struct {
	root fs.FS
	path string
}

// Module returns the parsed module with this name, and its folder.
func (m *modules) Module(name string, search, from any) (*syntax.Program, any, error) {
	f, at, file, err := m.open(name, search, from, ".jq")
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	text, err := readAll(f)
	if err != nil {
		return nil, nil, fmt.Errorf("module %q: %w", name, err)
	}
	p, err := syntax.Parse(file, text)
	return p, at, err
}

// Data returns an array of the JSON values in the file with this name, as jq does.
func (m *modules) Data(name string, search, from any) (any, error) {
	f, _, file, err := m.open(name, search, from, ".json")
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

// Folders returns the names of the library folders, in order.
func (m *modules) Folders() (names []string) {
	for _, root := range m.roots {
		if n, ok := root.(interface{ Name() string }); ok {
			names = append(names, n.Name())
		}
	}
	return names
}

// open opens a module's file. at is the file's folder, and file is the file's name
// in error messages.
func (m *modules) open(name string, search, from any, ext string) (f fs.File, at any, file string, err error) {
	for _, in := range m.searched(search, from) {
		base := path.Join(in.path, name)
		for _, file := range []string{base + ext, path.Join(base, path.Base(name)+ext)} {
			if !fs.ValidPath(file) || !fs.ValidPath(name) {
				return nil, nil, "", fmt.Errorf("module %q: a module is named by a path inside the library folders", name)
			}
			f, err := in.root.Open(file)
			if err == nil {
				return f, folder{in.root, path.Dir(file)}, shown(in.root, file), nil
			}
			if !errors.Is(err, fs.ErrNotExist) {
				return nil, nil, "", fmt.Errorf("module %q: %w", name, err)
			}
		}
	}
	return nil, nil, "", fmt.Errorf("module %q: not in the library folders", name)
}

// shown returns the name of a file for error messages. The name of the file's
// folder precedes it, if the folder has one.
func shown(root fs.FS, file string) string {
	if n, ok := root.(interface{ Name() string }); ok {
		return path.Join(n.Name(), file)
	}
	return file
}

// searched returns the folders to search, in order. They are those of {search: …}
// if it is set, or else the folder of the importing module and then the library
// folders.
func (m *modules) searched(search, from any) (all []folder) {
	var dirs []string
	switch s := search.(type) {
	case string:
		dirs = []string{s}
	case []any:
		for _, d := range s {
			if d, ok := d.(string); ok {
				dirs = append(dirs, d)
			}
		}
	}
	importing, isModule := from.(folder)
	if dirs == nil && isModule {
		all = append(all, importing)
	}
	if dirs == nil {
		dirs, isModule = []string{"."}, false
	}
	for _, d := range dirs {
		if isModule {
			all = append(all, folder{importing.root, path.Join(importing.path, d)})
			continue
		}
		for _, root := range m.roots {
			all = append(all, folder{root, d})
		}
	}
	return all
}

// mostModule is the maximum size of a module, in bytes.
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
