package plugin

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/meshq/kubectl-meshq/sources/transport"
)

// flags are the options of a query as they were written, in kubectl's and
// jq's names. A short flag that kubectl has keeps kubectl's meaning; every
// other short flag of jq's keeps jq's; jq's options have their long names.
type flags struct {
	kube *kubeFlags

	// What is asked, and of which part of the mesh.
	snapshots      []string
	contexts       []string
	pilots         []string
	envoys         []string
	istioNamespace string
	revision       string
	adminPort      int
	maxFetch       int
	query          string
	files          []string
	file           *queryFile // the only one of them, read; nil: it was not
	allNamespaces  bool
	selector       string

	// What the query may do.
	libraryPath []string
	allowEnv    bool
	memory      size
	spool       size             // 0: not given
	spooled     *transport.Quota // that it makes; nil: not yet
	concurrency int
	timeout     time.Duration
	explain     bool
	watch       bool
	await       bool // the command wait

	input inputFlags // plain input instead of a mesh

	// How results are printed, and what the exit code says.
	output       outputFlags
	exitStatus   bool
	failOnMatch  bool
	unknown      unknownFlag // what a verdict that is unknown does to the exit code
	allowPartial bool
	quiet        bool
	version      bool
	unbuffered   bool
	buildConfig  bool
}

type outputFlags struct {
	format       string
	template     string
	missingKeys  bool
	noHeaders    bool
	showLabels   bool
	showKind     bool
	managed      bool
	labelColumns []string
	columns      map[string][]string // of a query's tables, by kind; no flag says them
	sortBy       string

	compact, raw, join, raw0, ascii, seq, sortKeys bool
	tab                                            bool
	indent                                         int
	color                                          color
}

func newFlags() *flags {
	return &flags{kube: newKubeFlags(), memory: 1 << 30, unknown: failUnknown, output: outputFlags{missingKeys: true, indent: 2, color: "auto"}}
}

func (f *flags) bind(s *pflag.FlagSet) {
	f.bindMesh(s)
	f.bindQuery(s)
	f.output.bind(s)
	s.BoolVarP(&f.exitStatus, "exit-status", "e", false, "exit 1 when the last result is false or null, 4 when there is none")
	s.BoolVar(&f.failOnMatch, "fail-on-match", false, "exit 1 when there is any result: a gate for CI")
	s.Var(&f.unknown, "unknown", "what could not be judged: fail (exit 6, with --fail-on-match 1) or warn (it is only reported)")
	s.BoolVar(&f.allowPartial, "allow-partial", false, "exit 0 also when some of the mesh could not be read; with --fail-on-match, --unknown=warn says so")
	s.BoolVarP(&f.watch, "watch", "w", false, "ask again whenever the mesh has changed, and print what is new or changed")
	s.BoolVarP(&f.quiet, "quiet", "q", false, "print no results: only the exit code")
	s.BoolVar(&f.unbuffered, "unbuffered", false, "pass each result on at once")
	s.BoolVar(&f.buildConfig, "build-configuration", false, "print what the plugin was built with and how its jq differs")
	s.BoolVarP(&f.version, "version", "V", false, "print the version")
	f.normalize(s)
}

// normalize gives --filename its other name, jq's.
func (f *flags) normalize(s *pflag.FlagSet) {
	s.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if name == "from-file" {
			name = "filename"
		}
		return pflag.NormalizedName(name)
	})
}

// bindWait binds the options of the command wait, which prints no results.
func (f *flags) bindWait(s *pflag.FlagSet) {
	f.bindMesh(s)
	f.bindQuery(s)
	s.BoolVar(&f.allowPartial, "allow-partial", false, "a value counts also when some of the mesh could not be read")
	s.Lookup("timeout").Usage = "how long to wait; 0: ask once"
	s.Lookup("timeout").DefValue = waitTimeout.String()
	f.normalize(s)
}

func (f *flags) bindMesh(s *pflag.FlagSet) {
	f.kube.AddFlags(s)
	s.Lookup("namespace").Usage = "only proxies of this namespace; it completes a pod's name, too"
	s.StringArrayVar(&f.snapshots, "snapshot", nil, `a recorded mesh: a directory, an archive, a config dump, "-", or "demo"; repeat it for several`)
	s.StringSliceVar(&f.contexts, "contexts", nil, "the clusters of several kubeconfig contexts as one mesh: a,b")
	s.StringArrayVar(&f.pilots, "pilot", nil, "the address of an istiod's debug port, without Kubernetes: http://127.0.0.1:15014; repeat it for several")
	s.StringArrayVar(&f.envoys, "envoy", nil, "the address of an Envoy's admin port, without Kubernetes: http://127.0.0.1:15000; repeat it for several")
	s.StringVarP(&f.istioNamespace, "istio-namespace", "i", "istio-system", "where istiod runs")
	s.StringVar(&f.revision, "revision", "", "only the istiods and proxies of this revision")
	s.IntVar(&f.adminPort, "proxy-admin-port", 0, "Envoy's admin port (0: as the pod says, else 15000)")
	s.IntVar(&f.maxFetch, "max-fetch", 20, "how many live proxies may be read whole, with all their sections (0: any number)")
	s.BoolVarP(&f.allNamespaces, "all-namespaces", "A", false, "proxies of all namespaces (the default; undoes -n)")
	s.StringVarP(&f.selector, "selector", "l", "", "only proxies with these labels: app=reviews,version!=v1")
	s.Var(&f.memory, "memory", "how much a query may hold in memory; an eighth of it holds what was loaded of the mesh")
	s.Var(&f.spool, "spool", "how much a run may hold in temporary files (without it: 4 GiB, or half of what is free there if that is less)")
	s.IntVar(&f.concurrency, "concurrency", 16, "how many sections are loaded at once")
	s.DurationVar(&f.timeout, "timeout", 0, "give up after so long (0: never)")
}

func (f *flags) bindQuery(s *pflag.FlagSet) {
	s.StringVarP(&f.query, "query", "Q", "", "the query, whatever it looks like")
	s.StringArrayVarP(&f.files, "filename", "f", nil, `read the query from a file ("-": standard input)`)
	s.StringArrayVar(&f.libraryPath, "library-path", nil, "a folder of modules for import and include")
	s.BoolVar(&f.allowEnv, "env", false, "let the query see the environment ($ENV, env)")
	s.BoolVar(&f.explain, "explain", false, "say on stderr what is planned and what was asked of whom")
	f.input.bind(s)
	for _, name := range pairFlags { // parsed before pflag sees them; here for help and completion
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

func (o *outputFlags) bind(s *pflag.FlagSet) {
	s.StringVarP(&o.format, "output", "o", "", "how to print: table, wide, json, yaml, kyaml, name, custom-columns=…, jsonpath=…, go-template=…, …")
	s.StringVar(&o.template, "template", "", "the template of -o go-template and jsonpath")
	s.BoolVar(&o.missingKeys, "allow-missing-template-keys", true, "a field that a template names and nothing has prints as nothing")
	s.BoolVar(&o.noHeaders, "no-headers", false, "tables without their first line")
	s.BoolVar(&o.showLabels, "show-labels", false, "labels as the last column")
	s.BoolVar(&o.showKind, "show-kind", false, "names with their kind")
	s.BoolVar(&o.managed, "show-managed-fields", false, "keep managedFields of Kubernetes objects in json and yaml")
	s.StringSliceVarP(&o.labelColumns, "label-columns", "L", nil, "labels that become columns")
	s.StringVar(&o.sortBy, "sort-by", "", "sort the results by a field, as JSONPath: .rds or {.sync.rds.age}")

	s.BoolVarP(&o.compact, "compact-output", "c", false, "a result a line")
	s.BoolVarP(&o.raw, "raw-output", "r", false, "strings without quotes; what could act on a terminal is escaped")
	s.BoolVarP(&o.join, "join-output", "j", false, "as -r, with no line ends")
	s.BoolVar(&o.raw0, "raw-output0", false, "strings as they are, each result ended by NUL: for programs")
	s.BoolVar(&o.ascii, "ascii-output", false, "escape what is not ASCII (jq's -a)")
	s.BoolVar(&o.seq, "seq", false, "an ASCII RS before each result, and before each text of --input (RFC 7464)")
	s.BoolVarP(&o.sortKeys, "sort-keys", "S", false, "sort the keys of objects; else they come as they were set")
	s.BoolVar(&o.tab, "tab", false, "indent with tabs")
	s.IntVar(&o.indent, "indent", 2, "indent with so many spaces, 0 to 9")
	s.VarPF(colorFlag{&o.color, "always"}, "color-output", "C", "colours, also to a pipe").NoOptDefVal = "true"
	s.VarPF(colorFlag{&o.color, "never"}, "monochrome-output", "M", "no colours").NoOptDefVal = "true"
	s.Var(&o.color, "color", "auto, always or never; of several such flags the last one counts")
}

// unknownFlag is what is done about verdicts that are unknown.
type unknownFlag string

const (
	failUnknown unknownFlag = "fail"
	warnUnknown unknownFlag = "warn"
)

func (u *unknownFlag) Set(text string) error {
	if v := unknownFlag(text); v != failUnknown && v != warnUnknown {
		return fmt.Errorf("%q is none of %s, %s", text, failUnknown, warnUnknown)
	}
	*u = unknownFlag(text)
	return nil
}

func (u *unknownFlag) String() string { return string(*u) }
func (*unknownFlag) Type() string     { return "fail|warn" }

// color is when results are coloured.
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

// colorFlag is a flag that stands for a value of --color.
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

// size is a flag of so many bytes: 512Mi, 2GiB, 1000000.
type size int64

var units = []struct {
	name  string
	bytes int64
}{{"Ki", 1 << 10}, {"Mi", 1 << 20}, {"Gi", 1 << 30}, {"k", 1e3}, {"M", 1e6}, {"G", 1e9}}

func (s *size) Set(text string) error {
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
	*s = size(n * float64(factor))
	return nil
}

func (s *size) String() string {
	n := int64(*s)
	for i := 2; i >= 0; i-- {
		if u := units[i]; n >= u.bytes && n%u.bytes == 0 {
			return fmt.Sprintf("%d%sB", n/u.bytes, u.name)
		}
	}
	return strconv.FormatInt(n, 10)
}

func (*size) Type() string { return "size" }
