package plugin

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/query/shipped"
	"github.com/meshq/kubectl-meshq/sources/inventory"
)

// savedName is what a saved or shipped query can be called. Any other first
// word is a query; over plain JSON every one is.
var savedName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]*$`)

// asked is what the words of a command line ask for.
type asked struct {
	query   string
	file    string   // what the query is from, as errors show it, when it is from a file
	path    string   // that file; empty: it is from none that has a folder
	proxies []string // words for proxies
	status  bool     // the status table
	traces  bool     // the command trace
	key     []byte   // of the digests in snapshots; nil: not known

	named     *shipped.Query // what the query's header says; nil: it has none
	ours      bool           // it came with the plugin
	arguments arguments      // those of the header that were given
	words     []string       // the words that the query takes itself
}

// understand tells the query from the proxies.
func understand(ctx context.Context, w *World, f *flags, words []string) (*asked, error) {
	switch {
	case len(f.files) > 1:
		return nil, usage("-f: one query file at a time")
	case len(f.files) == 1 && f.query != "":
		return nil, usage("-f and -Q: one of them")
	case len(f.files) == 1:
		return f.fromFile(ctx, w, words)
	case f.query != "":
		return &asked{query: f.query, proxies: words}, nil
	case len(words) == 0 && f.plain():
		return &asked{query: "."}, nil
	case len(words) == 0:
		return named(w, []string{statusName})
	case savedName.MatchString(words[0]) && !f.plain():
		return named(w, words)
	}
	if err := noFile(words[0]); err != nil {
		return nil, err
	}
	return &asked{query: words[0], proxies: words[1:]}, nil
}

func named(w *World, words []string) (*asked, error) {
	if q, ok := namedQuery(words[0]); ok {
		return askedBy(q, arguments{}, words[1:]), nil
	}
	q, found, err := w.savedQuery(words[0])
	switch {
	case err != nil:
		return nil, err
	case !found:
		return nil, noQuery(words[0])
	}
	return q.asks(w, arguments{}, words[1:]), nil
}

func fileName(path string) string {
	if path == "-" || path == "" {
		return "standard input"
	}
	return path
}

// runWords does what a command line without a command's name asks.
func runWords(ctx context.Context, w *World, f *flags, argv *command, words []string, cmd *cobra.Command) error {
	ctx, stop := f.within(ctx, w)
	defer stop()
	a, err := understand(ctx, w, f, words)
	if err != nil {
		return err
	}
	return runAsked(ctx, w, f, argv, a, cmd)
}

// runAsked does what was understood.
func runAsked(ctx context.Context, w *World, f *flags, argv *command, a *asked, cmd *cobra.Command) error {
	if err := f.check(a); err != nil {
		return err
	}
	r := &run{World: w, flags: f, argv: argv, asked: a, changed: cmd.Flags().Changed}
	err := r.do(ctx)
	if a.ours {
		return unplaced(err)
	}
	return err
}

// unplaced is an error without its place in a query that the user didn't write.
func unplaced(err error) error {
	var exit *exitError
	var at *eval.Error
	if !errors.As(err, &exit) || !errors.As(err, &at) || errors.As(err, new(*unmetError)) || errors.As(err, new(*inventory.UnknownNamespaceError)) {
		return err
	}
	text := strings.TrimPrefix(at.Err.Error(), "error: ")
	if at.Element != "" && !strings.HasPrefix(text, at.Element) {
		text = at.Element + ": " + text
	}
	return &exitError{exit.code, errors.New(text)}
}

// plain tells whether the query runs over plain input.
func (f *flags) plain() bool { return f.input.plain() }

// alive gives a flag that asks for a live mesh; "" when none does.
func (f *flags) alive() string {
	switch {
	case len(f.pilots) > 0:
		return "--pilot"
	case len(f.envoys) > 0:
		return "--envoy"
	case len(f.contexts) > 0:
		return "--contexts"
	}
	return ""
}

// check holds the options against each other.
func (f *flags) check(a *asked) error {
	readers := 0
	plain := f.plain()
	readable := slices.Concat(f.snapshots, f.files)
	if plain && (!f.input.null || len(f.input.files) > 0) {
		readable = append(readable, f.input.names()...)
	}
	for _, s := range readable {
		if s == "-" {
			readers++
		}
	}
	switch ns, server := *f.kube.Namespace, *f.kube.APIServer; {
	case readers > 1:
		return usage(`standard input ("-") can be read once only`)
	case plain && (f.watch || f.await):
		return usage("--input: plain JSON doesn't change, there is nothing to watch or to wait for")
	case f.watch && len(f.snapshots) > 0:
		return usage("-w: a snapshot doesn't change")
	case f.watch && f.quiet:
		return usage("-w and -q: nothing would be seen")
	case plain && len(f.snapshots) > 0:
		return usage("--input and --snapshot: a query runs over plain JSON or over a mesh")
	case plain && len(a.proxies) > 0:
		return usage("%q: with --input there are no proxies to name", a.proxies[0])
	case ns != "" && (plain || len(validation.IsDNS1123Label(ns)) > 0):
		return usage("-n %s: %s", ns, namespaceHere)
	case plain && f.selector != "":
		return usage("-l %s: labels choose proxies, and plain input has none", f.selector)
	case looksLikeQuery(server):
		return usage("-s is the server; jq's -s is --slurp")
	case len(f.snapshots) > 0 && f.alive() != "":
		return usage("--snapshot and %s: a recorded mesh or a live one", f.alive())
	case len(f.pilots)+len(f.envoys) > 0 && len(f.contexts) > 0:
		return usage("--contexts and --pilot or --envoy: a mesh is asked by way of Kubernetes or at its addresses")
	case len(f.contexts) > 0 && *f.kube.Context != "":
		return usage("--context and --contexts: one of them")
	case slices.Contains(f.contexts, ""):
		return usage("--contexts: a context without a name")
	case f.adminPort < 0 || f.adminPort > 65535:
		return usage("--proxy-admin-port %d: no port", f.adminPort)
	case f.maxFetch < 0:
		return usage("--max-fetch %d: not a number from 0", f.maxFetch)
	case strings.HasPrefix(*f.kube.Timeout, "-"):
		return usage("--request-timeout %s: it is over already", *f.kube.Timeout)
	case f.concurrency < 1:
		return usage("--concurrency %d: not a number from 1", f.concurrency)
	case f.timeout < 0:
		return usage("--timeout %s: it is over already", f.timeout)
	}
	return nil
}

// namespaceHere is what somebody who knows jq has to know of -n.
const namespaceHere = "-n is the namespace here; jq's is --null-input"

// looksLikeQuery tells a query from a host or a URL.
func looksLikeQuery(server string) bool {
	return server != "" && (strings.ContainsAny(server, "${|\"' ") || strings.ContainsAny(server[:1], ".[("))
}
