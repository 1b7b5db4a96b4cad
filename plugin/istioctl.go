package plugin

import (
	"maps"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/meshq/kubectl-meshq/query/shipped"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// A spelling is a command of istioctl's and the query that stands for it.
type spelling struct {
	words   []string // its names, the first istioctl's own: "clusters", "cluster", "c"
	query   string   // the query of ours; empty: it has commands below it, or there is none
	short   string   // the query for -o short, where that is another
	kind    string   // what its words name, in front of them: svc
	given   arguments
	columns []string // of its table, where istioctl's is another than the query's
	pod     string   // the command that it is when proxies are named: diff
	not     string   // why there is no such command here
	below   []spelling
}

// spellings are the commands of istioctl's that are known here, by its names.
func spellings() []spelling {
	ofZtunnels := arguments{"of": mesh.ZTunnel}
	return []spelling{
		{words: []string{"proxy-status", "ps"}, query: statusName, pod: diffName},
		{words: []string{"proxy-config", "pc"}, below: []spelling{
			{words: []string{"all", "a"}, query: "all"},
			{words: []string{"bootstrap", "b"}, query: "bootstrap", short: "versions"},
			{words: []string{"clusters", "cluster", "c"}, query: "clusters"},
			{words: []string{"ecds", "ec"}, query: "extensions"},
			{words: []string{"eds"}, query: "endpoints", columns: []string{"PROXY", "ENDPOINT", "STATUS", "LOCALITY", "CLUSTER"}},
			{words: []string{"endpoints", "endpoint", "ep"}, query: "endpoints"},
			{words: []string{"listeners", "listener", "l"}, query: "listeners"},
			{words: []string{"log", "o"}, query: logName},
			{words: []string{"rootca-compare", "rc"}, query: "rootca"},
			{words: []string{"routes", "route", "r"}, query: "routes"},
			{words: []string{"secrets", "secret", "s"}, query: "secrets"},
		}},
		{words: []string{"ztunnel-config", "zc"}, below: []spelling{
			{words: []string{"all"}, query: "ambient"},
			{words: []string{"certificates", "certificate", "certs", "cert"}, query: "secrets", given: ofZtunnels},
			{words: []string{"connections", "connection", "cons"}, query: "connections"},
			{words: []string{"log", "o"}, not: "the log level of a ztunnel is neither read nor set here"},
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
	switch {
	case s.below != nil:
		return r.family(w, f, s)
	case s.not != "":
		return r.refused(s)
	}
	q, _ := shipped.Find(s.query, r.shipped)
	if s.columns != nil {
		q.Columns = map[string][]string{"": s.columns}
	}
	args := maps.Clone(s.given)
	if args == nil {
		args = arguments{}
	}
	cmd := queryCommand(w, f, r, q, args)
	cmd.Use, cmd.Aliases, cmd.GroupID, cmd.Hidden = s.words[0]+" "+takes(q), s.words[1:], "", true
	run, compared := cmd.RunE, &diffOptions{around: unchanged}
	cmd.RunE = func(cmd *cobra.Command, words []string) error {
		words = s.about(words)
		usual := f.output.format == "short" || f.output.format == "table" && s.pod != "" // as istioctl's commands call it
		if usual {
			f.output.format, cmd.Flags().Lookup("output").Changed = "", false // what is printed without it
		}
		if s.pod == diffName {
			if len(words) > 0 && len(args) == 0 {
				return compared.run(cmd.Context(), w, f, words, cmd)
			}
			f.snapshots = append(f.snapshots, compared.files()...)
		}
		if !usual {
			return run(cmd, words)
		}
		if short, ok := shipped.Find(s.short, r.shipped); ok {
			return runNamed(cmd, w, f, r, askedBy(short, arguments{}, words))
		}
		return run(cmd, words)
	}
	r.bind[cmd] = func() {
		ours := pflag.NewFlagSet(s.query, pflag.ContinueOnError)
		args.bind(f, ours, q)
		f.bindIstioctl(cmd.Flags(), ours, s.foreign(compared))
		completion{w, f, &q, r}.attach(cmd)
	}
	return cmd
}

// refused is a command of istioctl's that there is not.
func (r *rootCommand) refused(s spelling) *cobra.Command {
	cmd := &cobra.Command{Use: s.words[0], Aliases: s.words[1:], Hidden: true, DisableFlagParsing: true}
	cmd.RunE = func(*cobra.Command, []string) error { return usage("%s", s.not) }
	r.bind[cmd] = func() {}
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
