// Package library holds what a query can call beyond jq: a .jq file a subject,
// each function under the comment that documents it, and the Go functions
// beneath them. It knows the kinds of the document and Envoy's rules; it asks
// nobody: what it needs, it finds in the values it is given.
package library

import (
	"embed"
	"io/fs"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/query/syntax"
)

//go:embed *.jq
var files embed.FS

// Function is one documented function of the library. Names that begin with
// an underscore are not listed.
type Function struct {
	Name      string
	Params    []string // as they are documented: "name", "a", "b"
	Subject   string   // the file it stands in, without .jq: "lookups"
	Doc       string   // what it gives; the first sentence is the summary
	Examples  []string // queries
	Signature string   // "proxy(name)"
}

// Programs gives the parsed files, in the order of their names.
func Programs() ([]*syntax.Program, error) {
	var out []*syntax.Program
	err := each(func(name, text string) error {
		p, err := syntax.Parse("library/"+name, text)
		if err == nil {
			out = append(out, p)
		}
		return err
	})
	return out, err
}

// Functions gives the documentation of all functions, by subject and then in
// the order of the file.
func Functions() []Function {
	var out []Function
	_ = each(func(name, text string) error { // the files are part of the binary: they can be read
		out = append(out, documented(strings.TrimSuffix(name, ".jq"), text)...)
		return nil
	})
	return out
}

// Natives gives the Go functions that the files stand on.
func Natives(d Doors) []eval.Native {
	return slices.Concat(kindNatives(), proxyNatives(), valueNatives(), desiredNatives(d), diffNatives(d), matchNatives(d))
}

func each(f func(name, text string) error) error {
	names, err := fs.Glob(files, "*.jq") // sorted
	if err != nil {
		return err
	}
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		if err := f(name, string(text)); err != nil {
			return err
		}
	}
	return nil
}
