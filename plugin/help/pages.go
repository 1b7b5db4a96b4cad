package help

import (
	"fmt"
	"io"
	"strings"

	"github.com/meshq/kubectl-meshq/query/shipped"
)

// page is one page of help: paragraphs, and blocks indented by two spaces.
type page struct {
	Name  string
	about string // in a line
	Print func(io.Writer)
}

func text(s string) func(io.Writer) { return func(w io.Writer) { fmt.Fprint(w, s) } }

// Pages are the topics of help, in the order in which one would read them.
func Pages() []page {
	return []page{
		{"language", "how a query is written", text(languagePage)},
		{"document", "what the mesh is, as one document", printDocument},
		{"functions", "what a query may call", printFunctions},
		{"queries", "queries with names: those that come with the plugin, and saved ones", printQueriesPage},
		{"snapshots", "recorded meshes", text(snapshotsPage)},
		{"exit-codes", "what the exit code says", text(exitCodesPage)},
		{"safety", "what is asked of a mesh, and what is never done to it", printSafetyPage},
	}
}

func printQueriesPage(w io.Writer) {
	fmt.Fprint(w, QueriesPage)
	width := 0
	for _, q := range shipped.All() {
		width = max(width, len(q.Name))
	}
	for _, q := range shipped.All() {
		fmt.Fprintf(w, "  %-*s  %s\n", width, q.Name, strings.TrimSuffix(q.Summary, "."))
	}
}

const languagePage = `A query is a program in jq's language, all of which is here. It is given the mesh, ".", and what it gives is printed.

  .proxies[]                              each proxy
  .proxies[] | .name                      its name; | hands each result on
  .proxies[] | select(.rds == "STALE")    those of which this is true; == compares, = assigns
  .proxies[] | {name, rds}                an object of its own: a table with -o table
  [.proxies[].clusters[]] | length        an array of all results, and how many there are
  .proxies[].clusters[] as $c | $c.name   a variable
  .proxies | map(.version) | unique       a list for a list
  .proxies[].sync.lds.error // "none"     // is what to take in place of null, false or nothing
  .proxies[].name | test("^reviews")      a regular expression (RE2: no lookaround)

X.f(a; b) is X | f(a; b): functions are methods, and methods are functions. Arguments are separated by ";".

  .proxy("reviews-v1").route("9080").match("http://reviews:9080/reviews/1")
  .proxies[] | select(synced | not)

What is iterated over proxies is read of many at once, and printed in order. Only what a query touches is read: a
condition on what is known of a proxy (.name, .rds, .version) belongs in front of one on what has to be read (.clusters).

A section that a proxy's type does not have is null, and an iteration over it gives nothing: .proxies[].clusters[] passes over
ztunnels, .proxies[].workloads[] over Envoys. For any other null, .[] is jq's error.

On the command line a query stands in single quotes, so that the shell leaves it alone: in cmd.exe, which has none, it is
read from a file, with -f. --arg name value makes the variable $name of a string, --argjson of any value. -f FILE takes the
query from a file, which may have comments (# …) and say in its first one what it takes: help queries.

Objects keep the order in which their keys were set, as jq's do: derived facts first, then the fields of Envoy and
Kubernetes as they came; the keys of maps are sorted. --sort-keys sorts all.

The environment ($ENV, env) is empty unless --env gives it. Files are read by import and include only, from the library's folders.
`

const QueriesPage = `A query may have a name. These are commands: kubectl meshq clusters reviews-v1 --port 9080. Words behind the name are
proxies, help NAME says what flags a query has of its own, and show NAME prints its file.

A query of one's own is saved, and is a command from then on:

  kubectl meshq save old '.proxies[] | select(.version | semver($below)) | {name, version}' \
      --doc 'proxies of an old version.' --takes 'below=<1.31.0' -o table
  kubectl meshq old --below '<1.30.0'

save writes a file into the user's library: $XDG_CONFIG_HOME/meshq/library, ~/.config/meshq/library as a rule. With --project
it goes into the .meshq folder of the project that the working directory is in: it is found in every folder below, and goes
into git, so that a team shares it. The nearest file of a name counts; a name that comes with the plugin stays the plugin's.
MESHQ_LIBRARY_PATH names further folders. list lists all of them, remove removes one.

A file's first comment is its header:

  # old: proxies of an old version.
  # A line or more about it.
  #
  #   --below RANGE=<1.31.0    which versions are old
  #   --port, -p NUMBER        a number; DURATION takes 90s or 72h, a|b one of some words
  #   --all                    true or false
  #
  # args: ns=default, within
  # aliases: outdated
  # output: table
  # columns: NAME, VERSION
  # example: old --below "<1.30.0"

An argument is a flag of the command and a variable of the query: $below, $port. It is null where it isn't given and has no
default. Files of nothing but definitions are modules: include "shop"; takes the functions of shop.jq, import "shop" as s;
those as s::name, and import "names" as $names; the values of names.json. They are looked for in --library-path, in the folder
of the query's own file, in MESHQ_LIBRARY_PATH, and where saved queries are.

Those that come with the plugin:

`

const safetyPage = `Nothing is installed in the cluster, and nothing is changed in it.

Requests are GETs, but for one: Envoy lists its loggers on a POST without parameters. Debug addresses of istiod and Envoy that
change something are never asked (the one exception is what istioctl does, too: log --level and --reset, where they are
written). An Envoy answers on the thread that takes its configuration; so it is asked one thing at a time, by section and by
name, and for no more than the query looks at. --explain says what was asked of whom, and what it took.

Printing or walking whole live proxies reads all of their sections: more than 20 are refused unless --max-fetch says
otherwise. istiod computes what it would send to a proxy (desired, diff) only when a query says so.

The document never shows private keys, tokens and passwords that are such by their type, the environment of containers and
proxies (but settings of istiod, PILOT_* and ISTIO_*), and what kubectl applied last. A snapshot keeps what is known to be harmless: the text of fields that a table names. Other text is digested (redacted:<16 hex>, under a key of its own that is kept
nowhere, or that of --redact-key), keys, tokens, passwords and environments become a fixed word, before the file is written.
--keep FIELD keeps more, and the manifest says so; --redact envoy takes bodies as they are given, and asks. What was written to
a request's headers is compared with a digest only where trace --redact-key has the key: else such a route is UNKNOWN, by name.
Snapshots are written with mode 0600.

A query can't run programs, can't write, and reads no file but modules of the library's folders. It sees no environment
without --env. So one of somebody else's can be run; what it prints is all that it does. --memory bounds what it holds.

Names, labels and messages come from others. Control characters, line separators, bidi controls and invisible characters in
them reach no terminal and no shell: JSON and YAML write them as \u escapes, the same value; everything else shows them
escaped. A value begins no line of its own, except strings of -r, -j, halt_error and stderr, and YAML's blocks. That holds on
a pipe too, which mostly ends on a terminal; --raw-output0 gives programs every byte. TAB offers no name with such a
character, and quotes the others for bash and zsh. Where kubectl's own completion asks, no name is offered that a shell would
act on.

A query of a project's .meshq folder that hides your own of its name says so when it is run. A link that leads out of such a
folder is not read. The text of what a server or a file says of a fault is one line of at most 300 characters.

The rights it needs: list on pods, and create (with get) on pods/portforward. Who has them reaches all that istiod and Envoy
serve: grant them as you would kubectl exec. What can't be read is named on stderr, and the exit code is 6: a clean-looking
answer over unread proxies never exits 0.
`

const documentPage = `The mesh is one document; "." is it. Only what a query touches is read.

`

const snapshotsPage = `--snapshot PATH reads a recorded mesh; no kubeconfig is needed. PATH is

  a directory or a .tar, .tar.gz, .tar.zst of a snapshot
  the archive or the directory that istioctl bug-report writes
  the body of one Envoy's /config_dump (or istioctl proxy-config all -o json): a mesh of one proxy
  -     any of these on standard input
  demo  a mesh that comes with the plugin: one proxy is stale, one rejected a listener

Repeat it for several meshes. A pattern with * is every file it fits. What a snapshot does not hold is told as a fault,
and does not end the run.
`

const exitCodesPage = `  0  fine, also when there was no result
  1  found: with -e the last result was false or null; with --fail-on-match there was one, or a verdict is unknown;
     wait: not true in time
  2  the command line is wrong, or nothing could be read
  3  the query does not compile
  4  with -e: there was no result
  5  the query failed while running
  6  some of the mesh could not be read (each part is named on stderr), or a verdict is unknown; --allow-partial makes it 0

A verdict is unknown where something that it needs was not read: check, each check by its name, and describe have three
answers: wrong, fine, and unknown. An unknown finding has severity "unknown", the check, the proxy (or null: the mesh) and what
was missing. They come last, --severity doesn't hide them, and stderr counts them.

With --fail-on-match the exit code is 1 on an unknown verdict, too, and --allow-partial doesn't change that, so that a gate is
never open because nothing could be read. --unknown=warn only reports them: nothing that is unread changes the exit code.
check --skip NAME leaves one check out.

trace exits 1 when a share of the traffic ends elsewhere than at an endpoint, and 6 when the walk needs something that could
not be read: the share of it ends as UNKNOWN, and unknowns says what is missing. unreachable gives one row of reason UNKNOWN.

Where several apply, the first of 2, 3, 5, 1, 6, 4, 0 is given. A run that was interrupted (Ctrl-C, SIGTERM, SIGHUP, SIGQUIT)
ends with 130; a second signal ends it at once.
`
