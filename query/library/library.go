package library

import (
	"context"
	"embed"
	"io/fs"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/trace"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

//go:embed *.jq
var files embed.FS

// Doors are functions with which the library gets data that aren't in the arguments of
// its functions. A nil field means that this run can't get such data.
type Doors struct {
	// Desired returns the configuration that istiod would send to a proxy: an object with
	// lazy clusters, listeners, routes, endpoints, secrets and extensions.
	Desired func(ctx context.Context, proxy *mesh.Object) (*mesh.Object, error)

	// Document returns the mesh that the queried proxies belong to.
	Document func() any
}

// Natives returns the functions written in Go that the .jq files call. Their names begin
// with an underscore.
func Natives(d Doors) []eval.Native {
	t := trace.New(d.Document)
	return slices.Concat(kindNatives(), valueNatives(), []eval.Native{
		{Name: "_proxy", Arity: 1, Value: proxy},
		{Name: "_proxies", Arity: 1, Each: proxies},
		{Name: "_match", Arity: 1, Each: t.Match},
		{Name: "_shadows", Each: trace.Shadows},
		{Name: "_trace", Arity: 1, Each: t.Trace},
		{Name: "_traceFrom", Arity: 2, Each: t.TraceFrom},
		{Name: "_workload", Arity: 1, Each: t.Workload},
		{Name: "_unreachable", Each: trace.Unreachable},
		{Name: "_desired", Value: d.desired},
		{Name: "_diff", Each: d.diffProxy},
		{Name: "_diff", Arity: 2, Each: diffValues},
		{Name: "_jsonPatch", Arity: 2, Value: jsonPatch},
	})
}

// Programs returns the parsed .jq files, sorted by file name.
func Programs() ([]*syntax.Program, error) {
	var out []*syntax.Program
	err := eachFile(func(name, text string) error {
		p, err := syntax.Parse("library/"+name, text)
		out = append(out, p)
		return err
	})
	return out, err
}

// Function is the documentation of a function of the library.
type Function struct {
	Name      string
	Params    []string // names of the parameters in the documentation, such as "name", "a" and "b"
	Subject   string   // name of the file that defines the function, without .jq, such as "lookups"
	Doc       string   // the description; its first sentence is a summary
	Examples  []string // example queries
	Signature string   // name with parameters, such as "proxy(name)"
}

// Functions returns the documentation of all functions, sorted by subject, then in the
// order of the file. It omits private functions, whose names begin with an underscore.
func Functions() []Function {
	var out []Function
	_ = eachFile(func(name, text string) error { // an embedded file can always be read
		out = append(out, documented(strings.TrimSuffix(name, ".jq"), text)...)
		return nil
	})
	return out
}

func eachFile(f func(name, text string) error) error {
	names, err := fs.Glob(files, "*.jq") // Glob returns the names in sorted order
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		if err := f(name, string(text)); err != nil {
			return err
		}
	}
	return err
}

// documented parses the comments of a file. A function's comment begins with its
// signature and a colon, for example:
//
//	# proxy(name): the proxy of that name.
//	#   .proxy("reviews-v1").clusters | length
//	def proxy($name): …
//
// Lines indented by three spaces are examples. A comment that is followed by an
// empty line describes the file.
func documented(subject, text string) []Function {
	var out []Function
	var comment []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if c, ok := strings.CutPrefix(line, "#"); ok {
			comment = append(comment, c)
			continue
		}
		if strings.HasPrefix(line, "def ") && len(comment) > 0 {
			if f, ok := parseComment(subject, comment); ok {
				out = append(out, f)
			}
		}
		comment = nil
	}
	return out
}

func parseComment(subject string, comment []string) (Function, bool) {
	sig, doc, ok := strings.Cut(strings.TrimSpace(comment[0]), ": ")
	if !ok || strings.HasPrefix(sig, "_") {
		return Function{}, false
	}
	f := Function{Subject: subject, Signature: sig, Name: sig}
	if name, params, ok := strings.Cut(strings.TrimSuffix(sig, ")"), "("); ok {
		f.Name = name
		for p := range strings.SplitSeq(params, ";") {
			f.Params = append(f.Params, strings.TrimSpace(p))
		}
	}
	lines := []string{doc}
	for _, line := range comment[1:] {
		if example, ok := strings.CutPrefix(line, "   "); ok {
			f.Examples = append(f.Examples, example)
			continue
		}
		lines = append(lines, strings.TrimSpace(line))
	}
	f.Doc = strings.Join(lines, " ")
	return f, true
}

// standIns declares in jq which fields the Go functions read. The analysis of a query
// uses these definitions instead of the Go functions. What the Go functions read from the
// routes inside a listener is not declared. The definition of _desired reads a field that
// no proxy has.
const standIns = `
def _kind: .kind;
def _named: .id, .name, .workload, .clusterID, .context;
def _proxy($name): (.proxies, arrays) | .[] | objects | select([_named] == $name);
def _proxies($name): _proxy($name);
def _in($section): .proxies[][$section], .[$section], (arrays | ., [.[]], (.[] | objects | .[$section]));
def _list: arrays;
def _routable: .kind, (arrays | .[0].kind) | not;
def _words: [.sync[].status];
def _desired: .desired;
def _outline: if type == "object" then {OUTLINE} else . end;
def _shadows: .[] | .match, .virtualService;
def _unknown($section; $message): .id;
def _time: not;
def _duration: not;
def _cidr($block): not;
def _semver($range): not;
`

// StandIns returns jq definitions that read the same fields as the Go functions. They
// replace the Go functions when a query is analyzed.
func StandIns() (*syntax.Program, error) {
	var outline []string
	k, _ := mesh.KindOf("Proxy")
	for _, f := range k.Fields {
		if f.Cost == mesh.InOutline {
			outline = append(outline, f.Name)
		}
	}
	return syntax.Parse("library", strings.Replace(standIns, "OUTLINE", strings.Join(outline, ", "), 1))
}
