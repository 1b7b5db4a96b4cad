package options

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/util/validation"
)

// Flags are the options of a query on the command line. A short flag that kubectl
// has means the same as in kubectl. All other short flags mean the same as in jq.
// Every option of jq has the same long name as in jq.
type Flags struct {
	Kube *kubeFlags

	// The following fields select the query and the part of the mesh that it reads.
	Snapshots      []string
	Contexts       []string
	Pilots         []string
	Envoys         []string
	IstioNamespace string
	Revision       string
	AdminPort      int
	MaxFetch       int
	Query          string
	Files          []string
	// the content of the query file; nil unless the command line names exactly
	// one file, which was read
	File          *QueryFile
	AllNamespaces bool
	Selector      string

	// The following fields describe a change. The run then reads the mesh as it
	// would be with this change.
	WhatIf    []string // files with the objects of the change
	WhatIfNot bool     // true if the objects are deleted, not applied
	Istiod    string   // the path of istiod's binary; if empty, the cached binary is used
	IstiodEnv []string // environment variables of istiod, each as "NAME=value"

	// The following fields limit the resources that the query may use.
	LibraryPath []string
	AllowEnv    bool
	Memory      Size
	Spool       Size // size in bytes; 0 means that --spool was not set
	Concurrency int
	Timeout     time.Duration
	Explain     bool
	Watch       bool
	Await       bool // true for the command wait; there is no flag for it

	Input InputFlags // the plain input that the query reads instead of a mesh

	// The following fields set how results are printed, and how they affect the
	// exit code.
	Output       OutputFlags
	ExitStatus   bool
	FailOnMatch  bool
	Unknown      unknownFlag // how unknown verdicts affect the exit code
	AllowPartial bool
	Quiet        bool
	Version      bool
	Unbuffered   bool
	BuildConfig  bool
}

// OutputFlags are the flags that select the output format.
type OutputFlags struct {
	Format       string
	Template     string
	MissingKeys  bool
	NoHeaders    bool
	ShowLabels   bool
	ShowKind     bool
	Managed      bool
	LabelColumns []string
	// the table columns of each kind; set by the header of a saved query, not
	// by a flag
	Columns map[string][]string
	SortBy  string

	Compact, Raw, Join, Raw0, Ascii, Seq, SortKeys bool
	Tab                                            bool
	Indent                                         int
	Color                                          color
}

// NewFlags returns flags with their default values.
func NewFlags() *Flags {
	return &Flags{Kube: newKubeFlags(), Memory: 1 << 30, Unknown: failUnknown, Output: OutputFlags{MissingKeys: true, Indent: 2, Color: "auto"}}
}

// Bind adds all flags of a query to the flag set s.
func (f *Flags) Bind(s *pflag.FlagSet) {
	f.BindMesh(s)
	f.bindQuery(s)
	f.Output.Bind(s)
	s.BoolVarP(&f.ExitStatus, "exit-status", "e", false, "exit 1 when the last result is false or null, 4 when there is none")
	s.BoolVar(&f.FailOnMatch, "fail-on-match", false, "exit 1 when there is any result: a gate for CI")
	s.Var(&f.Unknown, "unknown", "what unknown verdicts do: fail (exit 6, with --fail-on-match 1) or warn (they are only reported)")
	s.BoolVar(&f.AllowPartial, "allow-partial", false, "exit 0 even if some of the mesh could not be read; with --fail-on-match, use --unknown=warn")
	s.BoolVarP(&f.Watch, "watch", "w", false, "repeat the query whenever the mesh changes, and print new and changed results")
	s.BoolVarP(&f.Quiet, "quiet", "q", false, "print no results: only the exit code")
	s.BoolVar(&f.Unbuffered, "unbuffered", false, "write each result at once")
	s.BoolVar(&f.BuildConfig, "build-configuration", false, "print how the plugin was built, and its jq version and limits")
	s.BoolVarP(&f.Version, "version", "V", false, "print the version")
	f.normalize(s)
}

// normalize makes s accept --from-file, which is jq's name for --filename.
func (f *Flags) normalize(s *pflag.FlagSet) {
	s.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if name == "from-file" {
			name = "filename"
		}
		return pflag.NormalizedName(name)
	})
}

// BindWait adds the flags of the command wait to the flag set s. That command
// prints no results, so it has no flags for the output.
func (f *Flags) BindWait(s *pflag.FlagSet) {
	f.BindMesh(s)
	f.bindQuery(s)
	s.BoolVar(&f.AllowPartial, "allow-partial", false, "a true value counts even if some of the mesh could not be read")
	s.Lookup("timeout").Usage = "how long to wait; 0: run the query once"
	s.Lookup("timeout").DefValue = WaitTimeout.String()
	f.normalize(s)
}

// BindMesh adds two groups of flags to the flag set s: those that select the mesh
// or a part of it, and those that limit memory, time and requests.
func (f *Flags) BindMesh(s *pflag.FlagSet) {
	f.Kube.AddFlags(s)
	s.Lookup("namespace").Usage = "only proxies of this namespace; also the namespace of pods that are named without one"
	s.StringArrayVar(&f.Snapshots, "snapshot", nil, `a recorded mesh: a directory, an archive, a config dump, "-", "demo" or "demo-ambient"; repeat it for several`)
	s.StringSliceVar(&f.Contexts, "contexts", nil, "the clusters of several kubeconfig contexts as one mesh: a,b")
	s.StringArrayVar(&f.Pilots, "pilot", nil, "the address of an istiod's debug port, without Kubernetes: http://127.0.0.1:15014; repeat it for several")
	s.StringArrayVar(&f.Envoys, "envoy", nil, "the address of an Envoy's admin port, without Kubernetes: http://127.0.0.1:15000; repeat it for several")
	s.StringVarP(&f.IstioNamespace, "istio-namespace", "i", "istio-system", "where istiod runs")
	s.StringVar(&f.Revision, "revision", "", "only the istiods and proxies of this revision")
	s.IntVar(&f.AdminPort, "proxy-admin-port", 0, "Envoy's admin port (0: as the pod says, else 15000)")
	s.IntVar(&f.MaxFetch, "max-fetch", 20, "how many live proxies may be read with all their sections (0: any number)")
	s.BoolVarP(&f.AllNamespaces, "all-namespaces", "A", false, "proxies of all namespaces (the default; undoes -n)")
	s.StringVarP(&f.Selector, "selector", "l", "", "only proxies with these labels: app=reviews,version!=v1")
	s.StringArrayVar(&f.WhatIf, "what-if", nil, `the mesh as it would be with the Kubernetes objects of a file, a folder or "-" applied; repeat it for several (see whatif)`)
	s.BoolVar(&f.WhatIfNot, "what-if-delete", false, "the objects of --what-if are deleted, not applied")
	f.BindIstiod(s)
	s.Var(&f.Memory, "memory", "the memory limit of a query; an eighth of it holds loaded sections of the mesh")
	s.Var(&f.Spool, "spool", "the size limit of temporary files (default 4 GiB, or half of the free space if that is less)")
	s.IntVar(&f.Concurrency, "concurrency", 16, "how many sections are loaded at once, not counting proxies that take over half a second to answer (at most four times as many)")
	s.DurationVar(&f.Timeout, "timeout", 0, "give up after so long (0: never)")
}

// BindIstiod adds the flags that select the istiod of a prediction to the flag
// set s.
func (f *Flags) BindIstiod(s *pflag.FlagSet) {
	s.StringVar(&f.Istiod, "istiod", "", "istiod's binary (pilot-discovery) for --what-if (default: the one in the cache, see whatif)")
	s.StringArrayVar(&f.IstiodEnv, "istiod-env", nil, "a variable of istiod's environment for --what-if: PILOT_ENABLE_AMBIENT=true; repeat it for several")
}

func (f *Flags) bindQuery(s *pflag.FlagSet) {
	s.StringVarP(&f.Query, "query", "Q", "", "the query, whatever it looks like")
	s.StringArrayVarP(&f.Files, "filename", "f", nil, `read the query from a file ("-": standard input)`)
	s.StringArrayVar(&f.LibraryPath, "library-path", nil, "a folder of modules for import and include")
	s.BoolVar(&f.AllowEnv, "env", false, "let the query see the environment ($ENV, env)")
	s.BoolVar(&f.Explain, "explain", false, "print the plan and all requests on stderr")
	f.Input.bind(s)
	// Split removes these options before pflag parses the command line; they
	// are added here only for help and completion
	for _, name := range pairFlags {
		s.StringArray(strings.TrimPrefix(name, "--"), nil, pairHelp[name])
	}
	s.Bool("args", false, "the words that follow are strings in $ARGS.positional")
	s.Bool("jsonargs", false, "the words that follow are JSON values in $ARGS.positional")
}

var pairHelp = map[string]string{
	"--arg":       "`name value`: $name is that string",
	"--argjson":   "`name JSON`: $name is that value",
	"--slurpfile": "`name file`: $name is an array of the JSON values in a file",
	"--rawfile":   "`name file`: $name is the text of a file",
}

// Bind adds the flags that select the output format to the flag set s.
func (o *OutputFlags) Bind(s *pflag.FlagSet) {
	s.StringVarP(&o.Format, "output", "o", "", "how to print: table, wide, json, ndjson, yaml, kyaml, name, custom-columns=…, jsonpath=…, go-template=…, …")
	s.StringVar(&o.Template, "template", "", "the template of -o go-template and jsonpath")
	s.BoolVar(&o.MissingKeys, "allow-missing-template-keys", true, "print nothing for a field that a template names and an object doesn't have")
	s.BoolVar(&o.NoHeaders, "no-headers", false, "print tables without their headers")
	s.BoolVar(&o.ShowLabels, "show-labels", false, "print all labels in the last column")
	s.BoolVar(&o.ShowKind, "show-kind", false, "print names with their kind")
	s.BoolVar(&o.Managed, "show-managed-fields", false, "keep managedFields of Kubernetes objects in json and yaml")
	s.StringSliceVarP(&o.LabelColumns, "label-columns", "L", nil, "labels that become columns")
	s.StringVar(&o.SortBy, "sort-by", "", "sort the results by a field, as JSONPath: .rds or {.sync.rds.age}")

	s.BoolVarP(&o.Compact, "compact-output", "c", false, "print one result per line")
	s.BoolVarP(&o.Raw, "raw-output", "r", false, "print strings without quotes; unsafe characters are escaped")
	s.BoolVarP(&o.Join, "join-output", "j", false, "as -r, with no line ends")
	s.BoolVar(&o.Raw0, "raw-output0", false, "print strings as they are, with NUL after each result: for programs")
	s.BoolVar(&o.Ascii, "ascii-output", false, "escape what is not ASCII (jq's -a)")
	s.BoolVar(&o.Seq, "seq", false, "an ASCII RS before each result, and before each text of --input (RFC 7464)")
	s.BoolVarP(&o.SortKeys, "sort-keys", "S", false, "sort the keys of objects (default: the order in which they were set)")
	s.BoolVar(&o.Tab, "tab", false, "indent with tabs")
	s.IntVar(&o.Indent, "indent", 2, "indent with this number of spaces, 0 to 9")
	s.VarPF(colorFlag{&o.Color, "always"}, "color-output", "C", "print colours, even to a pipe").NoOptDefVal = "true"
	s.VarPF(colorFlag{&o.Color, "never"}, "monochrome-output", "M", "print no colours").NoOptDefVal = "true"
	s.Var(&o.Color, "color", "auto, always or never; the last of several such flags is used")
}

// unknownFlag implements pflag's Value for --unknown.
type unknownFlag string

const (
	failUnknown unknownFlag = "fail"
	WarnUnknown unknownFlag = "warn"
)

func (u *unknownFlag) Set(text string) error {
	if v := unknownFlag(text); v != failUnknown && v != WarnUnknown {
		return fmt.Errorf("%q is none of %s, %s", text, failUnknown, WarnUnknown)
	}
	*u = unknownFlag(text)
	return nil
}

func (u *unknownFlag) String() string { return string(*u) }
func (*unknownFlag) Type() string     { return "fail|warn" }

// color implements pflag's Value for --color.
type color string

func (c *color) Set(text string) error {
	if text != "auto" && text != "always" && text != "never" {
		return fmt.Errorf("%q is none of auto, always, never", text)
	}
	*c = color(text)
	return nil
}

func (c *color) String() string { return string(*c) }
func (*color) Type() string     { return "string" }

// A colorFlag is a boolean flag, such as -C, that sets --color to a fixed value.
type colorFlag struct {
	color *color
	value color
}

func (c colorFlag) Set(text string) error {
	on, err := strconv.ParseBool(text)
	if err == nil && on {
		*c.color = c.value
	}
	return err
}

func (c colorFlag) String() string   { return strconv.FormatBool(c.color != nil && *c.color == c.value) }
func (c colorFlag) IsBoolFlag() bool { return true }
func (colorFlag) Type() string       { return "bool" }

// A Size is a number of bytes. As a flag, it is written like 512Mi, 2GiB or
// 1000000.
type Size int64

var units = []struct {
	name  string
	bytes int64
}{{"Ki", 1 << 10}, {"Mi", 1 << 20}, {"Gi", 1 << 30}, {"k", 1e3}, {"M", 1e6}, {"G", 1e9}}

func (s *Size) Set(text string) error {
	num, factor := strings.TrimSuffix(text, "B"), int64(1)
	for _, u := range units {
		if n, ok := strings.CutSuffix(num, u.name); ok {
			num, factor = n, u.bytes
			break
		}
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(num), 64)
	if err != nil || n <= 0 || n*float64(factor) > 1<<50 {
		return fmt.Errorf("%q is no size like 512Mi or 2GiB", text)
	}
	*s = Size(n * float64(factor))
	return nil
}

func (s *Size) String() string {
	n := int64(*s)
	for i := 2; i >= 0; i-- {
		if u := units[i]; n >= u.bytes && n%u.bytes == 0 {
			return fmt.Sprintf("%d%sB", n/u.bytes, u.name)
		}
	}
	return strconv.FormatInt(n, 10)
}

func (*Size) Type() string { return "size" }

// InputFlags are jq's options for plain input. With one of them, a query runs over
// JSON instead of a mesh.
type InputFlags struct {
	Files        []string
	Null         bool
	Slurp        bool
	Raw          bool
	Stream       bool
	StreamErrors bool
}

func (f *InputFlags) bind(s *pflag.FlagSet) {
	s.StringArrayVar(&f.Files, "input", nil, `run the query over the JSON values of a file ("-": standard input) instead of a mesh; repeat it for several`)
	s.BoolVar(&f.Null, "null-input", false, "run the query once over null, with input and inputs (jq's -n)")
	s.BoolVar(&f.Slurp, "slurp", false, "run the query once over all values of --input in an array (jq's -s)")
	s.BoolVarP(&f.Raw, "raw-input", "R", false, "each line of --input is a string; with --slurp all of it is one")
	s.BoolVar(&f.Stream, "stream", false, "run the query over [path, leaf] of each leaf of --input, as soon as it is read")
	s.BoolVar(&f.StreamErrors, "stream-errors", false, "as --stream, with [message, path] where the input goes wrong")
}

// plain reports whether the flags make the query run over plain input instead
// of a mesh.
func (f *InputFlags) plain() bool {
	return len(f.Files) > 0 || f.Null || f.Slurp || f.Raw || f.Stream || f.StreamErrors
}

// Names returns the input files that the command line names. If it names none,
// Names returns "-", which is standard input.
func (f *InputFlags) Names() []string {
	if len(f.Files) == 0 {
		return []string{"-"}
	}
	return f.Files
}

// Plain reports whether the flags make the query run over plain input instead
// of a mesh.
func (f *Flags) Plain() bool { return f.Input.plain() }

// alive returns the name of a flag that is set although it requires a live mesh. It
// returns "" if there is none.
func (f *Flags) alive() string {
	switch {
	case len(f.Pilots) > 0:
		return "--pilot"
	case len(f.Envoys) > 0:
		return "--envoy"
	case len(f.Contexts) > 0:
		return "--contexts"
	}
	return ""
}

// Check returns an error if options contradict each other.
func (f *Flags) Check(proxies []string) error {
	readers := 0
	plain := f.Plain()
	readable := slices.Concat(f.Snapshots, f.Files, f.WhatIf)
	if plain && (!f.Input.Null || len(f.Input.Files) > 0) {
		readable = append(readable, f.Input.Names()...)
	}
	for _, s := range readable {
		if s == "-" {
			readers++
		}
	}
	switch ns, server := *f.Kube.Namespace, *f.Kube.APIServer; {
	case readers > 1:
		return process.Usagef(`standard input ("-") can be read once only`)
	case plain && (f.Watch || f.Await):
		return process.Usagef("--input: plain JSON doesn't change, there is nothing to watch or to wait for")
	case f.Watch && len(f.Snapshots) > 0:
		return process.Usagef("-w: a snapshot doesn't change")
	case f.Watch && f.Quiet:
		return process.Usagef("-w and -q: nothing would be seen")
	case f.WhatIfNot && len(f.WhatIf) == 0:
		return process.Usagef("--what-if-delete: name what is deleted with --what-if")
	case len(f.WhatIf) > 0 && (f.Watch || f.Await || plain):
		return process.Usagef("--what-if: one prediction over a mesh; it is neither watched nor waited for, and --input has no mesh")
	case plain && len(f.Snapshots) > 0:
		return process.Usagef("--input and --snapshot: a query runs over plain JSON or over a mesh")
	case plain && len(proxies) > 0:
		return process.Usagef("%q: with --input there are no proxies to name", proxies[0])
	case ns != "" && (plain || len(validation.IsDNS1123Label(ns)) > 0):
		return process.Usagef("-n %s: %s", ns, NamespaceHere)
	case plain && f.Selector != "":
		return process.Usagef("-l %s: labels choose proxies, and plain input has none", f.Selector)
	case looksLikeQuery(server):
		return process.Usagef("-s is the server; jq's -s is --slurp")
	case len(f.Snapshots) > 0 && f.alive() != "":
		return process.Usagef("--snapshot and %s: a recorded mesh or a live one", f.alive())
	case len(f.Pilots)+len(f.Envoys) > 0 && len(f.Contexts) > 0:
		return process.Usagef("--contexts and --pilot or --envoy: a mesh is asked by way of Kubernetes or at its addresses")
	case len(f.Contexts) > 0 && *f.Kube.Context != "":
		return process.Usagef("--context and --contexts: one of them")
	case slices.Contains(f.Contexts, ""):
		return process.Usagef("--contexts: a context without a name")
	case f.AdminPort < 0 || f.AdminPort > 65535:
		return process.Usagef("--proxy-admin-port %d: no port", f.AdminPort)
	case f.MaxFetch < 0:
		return process.Usagef("--max-fetch %d: not a number from 0", f.MaxFetch)
	case strings.HasPrefix(*f.Kube.Timeout, "-"):
		return process.Usagef("--request-timeout %s: it is over already", *f.Kube.Timeout)
	case f.Concurrency < 1:
		return process.Usagef("--concurrency %d: not a number from 1", f.Concurrency)
	case f.Timeout < 0:
		return process.Usagef("--timeout %s: it is over already", f.Timeout)
	}
	return nil
}

// NamespaceHere is a hint for users of jq, who may have used -n for --null-input.
const NamespaceHere = "-n is the namespace here; jq's is --null-input"

// looksLikeQuery reports whether the value of -s (kubectl's --server) looks like a
// query. In that case the user probably meant jq's -s, because a server is a host
// or a URL.
func looksLikeQuery(server string) bool {
	return server != "" && (strings.ContainsAny(server, "${|\"' ") || strings.ContainsAny(server[:1], ".[("))
}

// Sections returns the memory limit, in bytes, for the loaded sections of proxies.
// The limit is enough for the proxies that are read at the same time. A higher
// limit would save little time, because loading an evicted section again is fast.
func (f *Flags) Sections() Size { return max(f.Memory/8, 1) }

// WaitName is the name of the command wait.
const WaitName = "wait"

// WaitTimeout is the default timeout of the command wait. kubectl wait has the same
// default.
const WaitTimeout = 30 * time.Second

// DiffName is the name of the command diff.
const DiffName = "diff"
