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

// Doors are what the library reads beside its arguments. A nil function is for a
// run that has no such thing.
type Doors struct {
	// Desired returns what istiod would send to a proxy: an object with lazy
	// clusters, listeners, routes, endpoints, secrets and extensions.
	Desired func(ctx context.Context, proxy *mesh.Object) (*mesh.Object, error)

	// Document returns the mesh that the proxies belong to.
	Document func() any
}

// Natives returns the Go functions that the .jq files call. Their names begin with
// an underscore.
func Natives(d Doors) []eval.Native {
	t := trace.New(d.Document)
	return slices.Concat(kindNatives(), valueNatives(), []eval.Native{
		{Name: "_proxy", Arity: 1, Value: proxy},
		{Name: "_proxies", Arity: 1, Each: proxies},
		{Name: "_match", Arity: 1, Each: t.Match},
		{Name: "_shadows", Each: trace.Shadows},
		{Name: "_trace", Arity: 1, Each: t.Trace},
		{Name: "_unreachable", Each: trace.Unreachable},
		{Name: "_desired", Value: d.desired},
		{Name: "_diff", Each: d.diffProxy},
		{Name: "_diff", Arity: 2, Each: diffValues},
		{Name: "_jsonPatch", Arity: 2, Value: jsonPatch},
	})
}

// Programs returns the parsed .jq files, in the order of their names.
func Programs() ([]*syntax.Program, error) {
	var out []*syntax.Program
	err := eachFile(func(name, text string) error {
		p, err := syntax.Parse("library/"+name, text)
		out = append(out, p)
		return err
	})
	return out, err
}

// Function is a documented function of the library.
type Function struct {
	Name      string
	Params    []string // the names in the documentation: "name", "a", "b"
	Subject   string   // the name of its file, without .jq: "lookups"
	Doc       string   // what it returns; the first sentence is the summary
	Examples  []string // queries
	Signature string   // "proxy(name)"
}

// Functions returns the documentation of all functions, by subject and then in the
// order of the file. Functions whose names begin with an underscore are left out.
func Functions() []Function {
	var out []Function
	_ = eachFile(func(name, text string) error { // reading embedded files never fails
		out = append(out, documented(strings.TrimSuffix(name, ".jq"), text)...)
		return nil
	})
	return out
}

func eachFile(f func(name, text string) error) error {
	names, err := fs.Glob(files, "*.jq") // sorted
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

// documented reads the comments of a file. A function's comment begins with its
// signature and a colon, as in
//
//	# proxy(name): the proxy of that name.
//	#   .proxy("reviews-v1").clusters | length
//	def proxy($name): …
//
// Lines indented by three spaces are examples. A comment that an empty line
// follows is the file's own.
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

// standIns declare which fields the Go functions read, in the words of the
// language: the analysis of what a query reads uses them in the functions' place.
// Of a listener's own routes the words of a query say nothing. What istiod would
// send has a name that no proxy has.
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

// StandIns returns the definitions that stand for the Go functions where a query is
// analyzed: they read what these read.
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
