package plugin

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/meshq/kubectl-meshq/query/shipped"
)

// A spelling is a command of istioctl's and the query that stands for it.
type spelling struct {
	words []string // its names, the first istioctl's own: "clusters", "cluster", "c"
	query string   // the query of ours; empty: it has commands below it
	short string   // the query for -o short, where that is another
	kind  string   // what its words name, in front of them: svc
	below []spelling
}

// spellings are the commands of istioctl's that are known here, by its names.
func spellings() []spelling {
	return []spelling{
		{words: []string{"proxy-status", "ps"}, query: "status"},
		{words: []string{"proxy-config", "pc"}, below: []spelling{
			{words: []string{"all", "a"}, query: "all"},
			{words: []string{"bootstrap", "b"}, query: "bootstrap", short: "versions"},
			{words: []string{"clusters", "cluster", "c"}, query: "clusters"},
			{words: []string{"ecds", "ec"}, query: "extensions"},
			{words: []string{"endpoints", "endpoint", "ep", "eds"}, query: "endpoints"},
			{words: []string{"listeners", "listener", "l"}, query: "listeners"},
			{words: []string{"log", "o"}, query: "log"},
			{words: []string{"rootca-compare", "rc"}, query: "rootca"},
			{words: []string{"routes", "route", "r"}, query: "routes"},
			{words: []string{"secrets", "secret", "s"}, query: "secrets"},
		}},
		{words: []string{"ztunnel-config", "zc"}, below: []spelling{
			{words: []string{"certificates", "certificate", "certs", "cert"}, query: "secrets"},
			{words: []string{"connections", "connection", "cons"}, query: "connections"},
			{words: []string{"policies", "policy", "p", "pol"}, query: "policies"},
			{words: []string{"services", "service", "svc", "s"}, query: "services"},
			{words: []string{"workloads", "workload", "w"}, query: "workloads"},
		}},
		{words: []string{"experimental", "x"}, below: []spelling{
			{words: []string{"describe", "des"}, below: []spelling{
				{words: []string{"pod", "po"}, query: "describe", kind: "pod"},
				{words: []string{"service", "svc"}, query: "describe", kind: "svc"},
			}},
			{words: []string{"envoy-stats", "es"}, query: "stats"},
		}},
	}
}

// addSpellings adds istioctl's commands, which help tells of on a page of its own.
func (r *rootCommand) addSpellings(w *World, f *flags) {
	for _, s := range spellings() {
		r.AddCommand(r.spelled(w, f, s))
	}
}

func (r *rootCommand) spelled(w *World, f *flags, s spelling) *cobra.Command {
	if s.below != nil {
		return r.family(w, f, s)
	}
	q, _ := shipped.Find(s.query, r.shipped)
	args := arguments{}
	cmd := queryCommand(w, f, r, q, args)
	cmd.Use, cmd.Aliases, cmd.GroupID, cmd.Hidden = s.words[0]+" "+takes(q), s.words[1:], "", true
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, words []string) error {
		words = s.about(words)
		if f.output.format != "short" {
			return run(cmd, words)
		}
		f.output.format, cmd.Flags().Lookup("output").Changed = "", false // what is printed without it
		if short, ok := shipped.Find(s.short, r.shipped); ok {
			return runNamed(cmd, w, f, r, askedBy(short, arguments{}, words))
		}
		return run(cmd, words)
	}
	r.bind[cmd] = func() {
		ours := pflag.NewFlagSet(s.query, pflag.ContinueOnError)
		args.bind(f, ours, q)
		f.bindIstioctl(cmd.Flags(), ours)
		completion{w, f, &q}.attach(cmd)
	}
	return cmd
}

// family is a command that others are below.
func (r *rootCommand) family(w *World, f *flags, s spelling) *cobra.Command {
	var names []string
	cmd := &cobra.Command{Use: s.words[0], Aliases: s.words[1:], Hidden: true, Args: cobra.ArbitraryArgs}
	for _, below := range s.below {
		cmd.AddCommand(r.spelled(w, f, below))
		names = append(names, below.words[0])
	}
	cmd.RunE = func(*cobra.Command, []string) error {
		return usage("%s: of what? %s", s.words[0], strings.Join(names, ", "))
	}
	cmd.SetHelpFunc(func(*cobra.Command, []string) { printSpellings(w.Out, calledAs(w.Args[0])) })
	r.bind[cmd] = func() {}
	return cmd
}

// about says of the words what istioctl's command says they are.
func (s spelling) about(words []string) []string {
	if s.kind == "" {
		return words
	}
	var out []string
	for _, word := range words {
		out = append(out, s.kind+"/"+word)
	}
	return out
}

// bindIstioctl gives a command our flags, but those short ones that istioctl
// has: -f is a dump, -r the revision, -c the kubeconfig.
func (f *flags) bindIstioctl(s, ours *pflag.FlagSet) {
	f.normalize(s)
	taken := map[string]string{"kubeconfig": "c", "revision": "r", "snapshot": "f"}
	ours.VisitAll(func(flag *pflag.Flag) {
		if flag.Name == "filename" || flag.Name == "query" {
			return
		}
		own := *flag
		if own.Shorthand == "c" || own.Shorthand == "r" {
			own.Shorthand = ""
		}
		if short := taken[own.Name]; short != "" && own.Name != "snapshot" {
			own.Shorthand = short
		}
		s.AddFlag(&own)
	})
	file := *ours.Lookup("snapshot")
	file.Name, file.Shorthand, file.Usage = "file", "f", "a config dump, instead of asking an Envoy"
	s.AddFlag(&file)
}

// printSpellings is the help's page on istioctl.
func printSpellings(out io.Writer, name string) {
	fmt.Fprintf(out, istioctlPage, name)
	tab := tabwriter.NewWriter(out, 0, 8, 3, ' ', 0)
	fmt.Fprintf(tab, "  ISTIOCTL\tHERE\tTHE QUERY\n")
	for _, s := range spellings() {
		printSpelling(tab, s, "istioctl", name)
	}
	tab.Flush() // to an output that tells of itself when it ends
}

func printSpelling(tab io.Writer, s spelling, before, name string) {
	before += " " + strings.Join(s.words, "|")
	for _, below := range s.below {
		printSpelling(tab, below, before, name)
	}
	if s.below == nil {
		fmt.Fprintf(tab, "  %[1]s\t%[2]s %[3]s\t%[2]s show %[3]s\n", before, name, s.query)
	}
}

const istioctlPage = `What istioctl shows, %[1]s shows too, for any number of proxies; istioctl's own words are understood:
"%[1]s pc clusters POD" is "%[1]s clusters POD". Under these words istioctl's short flags keep istioctl's meaning; elsewhere they
are kubectl's and jq's:

  -f, --file FILE     a config dump ("-": standard input), no query's file
  -r, --revision REV  the revision, not --raw-output
  -c, --kubeconfig    the kubeconfig, not --compact-output
  -o short            the table; of bootstrap, its versions
  -o json, -o yaml    kubectl's form: one value bare, several as a List

A proxy is POD.NAMESPACE, a pod with or without -n, deploy/NAME, or the beginning of a name that only one has. Without one it is
all proxies. Nothing is ever changed: of log, --level and --reset are not there.

`
