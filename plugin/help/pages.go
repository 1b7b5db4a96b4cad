package help

import (
	"fmt"
	"io"
	"strings"

	"github.com/meshq/kubectl-meshq/query/shipped"
)

// page is one page of help. Its text consists of paragraphs, and of blocks that are
// indented by two spaces.
type page struct {
	Name  string
	about string // a summary of one line
	Print func(io.Writer)
}

func text(s string) func(io.Writer) { return func(w io.Writer) { fmt.Fprint(w, s) } }

// Pages returns the topics of help, in the recommended reading order.
func Pages() []page {
	return []page{
		{"language", "how a query is written", text(languagePage)},
		{"document", "the document of the mesh, with its kinds and fields", printDocument},
		{"functions", "the functions that a query can call", printFunctions},
		{"queries", "named queries: those that come with the plugin, and saved ones", printQueriesPage},
		{symptomsTopic, "response flags (503, UC, NR, …), and what finds the cause", printSymptoms},
		{"snapshots", "recorded meshes", text(snapshotsPage)},
		{"exit-codes", "what the exit codes mean", text(exitCodesPage)},
		{"safety", "what meshq requests of a mesh, and what it never does", printSafetyPage},
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

const languagePage = `A query is a program in jq's language, all of which is supported. Its input "." is the mesh, and its results are printed.

  .proxies[]                              each proxy
  .proxies[] | .name                      its name; | passes each result on
  .proxies[] | select(.rds == "STALE")    the proxies for which this is true; == compares, = assigns
  .proxies[] | {name, rds}                a new object; with -o table, a row of a table
  [.proxies[].clusters[]] | length        an array of all results, and its length
  .proxies[].clusters[] as $c | $c.name   a variable
  .proxies | map(.version) | unique       a list from a list
  .proxies[].sync.lds.error // "none"     // gives a default for null, false or no result
  .proxies[].name | test("^reviews")      a regular expression (RE2: no lookaround)

X.f(a; b) means X | f(a; b): every function is also a method. Separate arguments by ";".

  .proxy("reviews-v1").route("9080").match("http://reviews:9080/reviews/1")
  .proxies[] | select(synced | not)

An iteration over proxies reads many proxies in parallel and prints them in order. Only what a query touches is read: put a
condition on what is known of a proxy (.name, .rds, .version) before one on what has to be read (.clusters).

A section that a proxy's type doesn't have is null, and iterating over it gives no results: .proxies[].clusters[] skips
ztunnels, .proxies[].workloads[] skips Envoys. For any other null, .[] is an error, as in jq.

Put the query into single quotes, so that the shell leaves it alone. cmd.exe has no single quotes: use -f FILE there. --arg name
value sets the variable $name to a string, --argjson to any value. The file of -f may have comments (# …), and a header that
declares its arguments: help queries.

Objects keep the order in which their keys were set, as in jq: derived fields first, then the fields of Envoy and Kubernetes as
they were received. Keys of maps are sorted. --sort-keys sorts all keys.

The environment ($ENV, env) is empty without --env. Only import and include read files, from the library's folders.
`

// QueriesPage is the text of the help page on named and saved queries.
const QueriesPage = `A query can have a name, which is a command: kubectl meshq clusters reviews-v1 --port 9080. Words after the name are proxies,
help NAME describes a query and its own flags, and show NAME prints its file.

Save a query of your own to make it a command:

  kubectl meshq save old '.proxies[] | select(.version | semver($below)) | {name, version}' \
      --doc 'proxies of an old version.' --takes 'below=<1.31.0' -o table
  kubectl meshq old --below '<1.30.0'

save writes a file into your library, $XDG_CONFIG_HOME/meshq/library (by default ~/.config/meshq/library). With --project it
writes into the .meshq folder of the project that the working directory is in; commit that folder to share it with a team. If
several files have one name, the nearest folder is used; queries that come with the plugin can't be replaced.
MESHQ_LIBRARY_PATH names more folders. list lists all queries, remove removes one.

The first comment of a file is its header:

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

An argument is a flag of the command and a variable of the query: $below, $port. It is null if it isn't given and has no default.
A file that has only definitions is a module: include "shop"; adds the functions of shop.jq, import "shop" as s; adds them as
s::name, and import "names" as $names; adds the values of names.json. Modules are looked up in --library-path, in the folder of
the query's own file, in MESHQ_LIBRARY_PATH, and in the folders of saved queries.

Those that come with the plugin:

`

const safetyPage = `meshq installs nothing in the cluster and changes nothing in it.

All requests are GETs, with one exception (and those of whatif below): Envoy lists its loggers only on a POST without parameters. meshq never requests a debug
address of istiod or Envoy that changes something, except with log --level and --reset. Envoy serves requests on its main thread,
so each Envoy gets one request at a time, for a section or a named resource, and for no more than the query needs. --explain
prints each request, with its size and time.

whatif and --what-if run istiod's binary on your machine, over what was read of the mesh. It listens on loopback, has no network, no
credentials of yours and none of your environment, reads an API server in memory on a random port with a random token, and is killed
when the run ends, however it ends. Nothing is downloaded or written to the cluster, with two exceptions that need their own words:
whatif --server-dry-run sends each object in a PATCH with dryRun=All, and whatif fetch-istiod --from pod runs cat in istiod's pod
(pods/exec); --from image and --from source run docker or podman, and go.

Printing or walking whole live proxies reads all of their sections, and is refused for more than 20 proxies unless you raise
--max-fetch. istiod computes the configuration of a proxy only if a query uses desired or diff.

The document never has private keys, tokens and passwords of fields whose type says so, the environment of containers and proxies
(except istiod's PILOT_* and ISTIO_* settings), or kubectl's last-applied configuration. A snapshot keeps only the text of the
fields listed below. Before the file is written, other text is replaced by a digest (redacted:<16 hex>), and keys, tokens,
passwords and environments by a fixed word. The key of the digests is random and not kept, or the one of --redact-key.
--keep FIELD keeps more text, and the manifest lists it; --redact envoy keeps the responses as they are, after a confirmation. A
route that matches on a digested header is decided only with trace --redact-key; else it is UNKNOWN. Snapshots have mode 0600.

A query can't run programs, can't write, and reads only modules of the library's folders. It has no environment without --env. A
query from someone else is therefore safe to run: all it can do is print. --memory limits the memory that it uses.

Names, labels and messages are written by others. Control characters, line separators, bidi controls and invisible characters in
them are always escaped: in JSON and YAML as \u escapes, which keep the value. A value never starts a line of its own, except for
strings of -r, -j, halt_error and stderr, and YAML's blocks. This also holds on a pipe, which mostly ends on a terminal;
--raw-output0 writes every byte, for programs. Completion omits names with such characters and quotes the others for bash and
zsh; under kubectl's own completion it omits every name that a shell could act on.

If a query in a project's .meshq folder hides one of your own, a note says so when it is run. A link that leads out of such a
folder is not read. An error text from a server or a file is printed as one line of at most 300 characters.

Required rights: list on pods, and create (with get) on pods/portforward. Anyone with these rights can read everything that istiod
and Envoy serve: grant them like kubectl exec. stderr names everything that could not be read, and the exit code is 6: it is never
0 if proxies could not be read.
`

const documentPage = `The mesh is one document, ".". Only what a query touches is read.

`

const snapshotsPage = `--snapshot PATH reads a recorded mesh, without a kubeconfig. PATH is one of

  a directory or a .tar, .tar.gz, .tar.zst of a snapshot
  the archive or the directory that istioctl bug-report writes
  the body of one Envoy's /config_dump (or istioctl proxy-config all -o json): a mesh of one proxy
  -     any of these on standard input
  demo  a mesh that comes with the plugin: one proxy is stale, one rejected a listener;
        demo-ambient: two ztunnels, a waypoint, and sidecars

Repeat it to read several meshes as one. A pattern with * selects all files that match it. Parts
that a snapshot lacks are reported as faults; the other results are printed.
`

const exitCodesPage = `  0  fine, also if there was no result
  1  found: with -e the last result was false or null; with --fail-on-match there was a result, or a verdict is unknown;
     wait: not true in time
  2  the command line is wrong, or nothing could be read
  3  the query does not compile
  4  with -e: there was no result
  5  the query failed while running
  6  some of the mesh could not be read (each part is named on stderr), or a verdict is unknown; --allow-partial makes it 0

A verdict is unknown if something that it needs could not be read. check, each check by its name, and describe have three answers:
wrong, fine, and unknown. An unknown finding has the severity "unknown", the check, the proxy (null for the mesh), and what was
missing. Unknown findings are printed last, --severity doesn't hide them, and stderr counts them.

With --fail-on-match the exit code of an unknown verdict is 1, even with --allow-partial, so that a pipeline never passes because
nothing could be read. --unknown=warn only reports them: unread parts then don't change the exit code. check --skip NAME skips a
check.

trace exits with 1 if a share of the traffic doesn't reach an endpoint, and with 6 if it needs something that could not be read:
that share ends as UNKNOWN, and unknowns lists what is missing. unreachable prints one row with the reason UNKNOWN.

If several apply, precedence is 2, 3, 5, 1, 6, 4, 0. An interrupted run (Ctrl-C, SIGTERM, SIGHUP, SIGQUIT) exits with 130; a
second signal ends it at once.
`
