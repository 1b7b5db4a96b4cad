package whatif

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/plugin/options"
	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/plugin/run"
	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/labels"
)

const long = `Say what a change would do to every proxy before it is applied. FILE has the Kubernetes objects, as for kubectl apply: a
VirtualService, DestinationRule, AuthorizationPolicy, Gateway, Service, … The cluster is not touched.

istiod's own binary runs on this machine, twice, over the objects of the mesh without and with the change, and both are asked
what they would send to each proxy. The answer has, in this order:

  admission   would istiod's admission refuse an object, and why
  baseline    is the side without the change what the mesh's own istiod says that it would send? If not, the prediction is
              unverified: what differs is named, with likely causes, and the exit code is 6
  changes     which proxies get another configuration, grouped, each difference with the Istio object that it comes from; and
              which are sent a push in which nothing differs
  findings    what check finds with the change and not without it, and what it doesn't find any more
  traces      of each --request PROXY=URL, before and after

istiod's binary (pilot-discovery) is --istiod PATH, or the one in ~/.kube/cache/meshq, which "whatif fetch-istiod" puts there.
Nothing is downloaded otherwise. It should have the version of the mesh's istiod, and the PILOT_ and ISTIO_ variables of its
environment: those of its pod are taken, --env sets others.

What is predicted is what istiod sends, not whether Envoy accepts it. New pods have no proxy yet that could be asked; ztunnels,
DNS tables and endpoints of other clusters are not predicted.

The exit code is 0 if nothing breaks, 1 if a finding of severity error or warning is new or istiod would refuse an object, and 6 if
the prediction is unverified or a part of it is unknown.

With KUBECTL_EXTERNAL_DIFF, the differences are shown by that program, as in diff.

--what-if FILE on queries, trace, check, describe and diff asks them of the predicted mesh.`

// Name is the name of the command.
const Name = "whatif"

// flags are the flags of the command whatif.
type flags struct {
	files    []string
	remove   bool
	all      bool
	env      []string
	dryRun   bool
	requests []string
	patch    bool
}

// formatPatch is the format of -o that only this command and diff have.
const formatPatch = "jsonpatch"

// New returns the command "whatif -f FILE [PROXY…]".
func New(w *process.World, f *options.Flags) *cobra.Command {
	name := process.CalledAs(w.Args[0])
	q := &flags{}
	cmd := &cobra.Command{
		Use:   Name + " -f FILE [PROXY…]",
		Short: "Predict what a change would do to every proxy, without applying it",
		Long:  long,
		Example: process.Indent([]string{
			name + " whatif -f virtual-service.yaml",
			"kubectl kustomize overlays/prod | " + name + " whatif -f -",
			name + " whatif -f old.yaml --delete",
			name + " whatif -f canary.yaml --request productpage-v1=http://reviews:9080/reviews/1",
			name + " whatif -f policy.yaml -n shop -o json",
			name + " check --what-if rule.yaml --fail-on-match",
		}),
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, words []string) error { return q.run(cmd.Context(), w, f, words, cmd) },
	}
	set := cmd.Flags()
	f.BindMesh(set)
	f.Output.Bind(set)
	set.StringArrayVarP(&q.files, "filename", "f", nil, `the objects of the change: a file, a folder, or "-" for standard input; repeat it for several`)
	set.BoolVar(&q.remove, "delete", false, "the objects are deleted")
	set.BoolVar(&q.all, "all", false, "ask istiod for every proxy, not for one of those that it can't tell apart")
	set.StringArrayVar(&q.env, "env", nil, "a variable of istiod's environment: PILOT_ENABLE_AMBIENT=true; repeat it for several")
	set.BoolVar(&q.dryRun, "server-dry-run", false, "let the API server set defaults, by a PATCH with dryRun=All for each object: it stores nothing, but needs the right to patch")
	set.StringArrayVar(&q.requests, "request", nil, "trace a request before and after: PROXY=URL; repeat it for several")
	set.BoolVar(&q.patch, "json-patch", false, "the same as -o jsonpatch")
	set.BoolVar(&f.AllowPartial, "allow-partial", false, "exit 0 or 1 even if the prediction is unverified or a part is unknown")
	set.BoolVarP(&f.Quiet, "quiet", "q", false, "print nothing: only the exit code")
	for _, hidden := range []string{"what-if", "what-if-delete", "istiod-env"} { // -f, --delete and --env
		set.Lookup(hidden).Hidden = true
	}
	set.Lookup("istiod").Usage = "istiod's binary, pilot-discovery (default: the one in the cache)"
	set.Lookup("output").Usage = "how to print: json, yaml, jsonpatch, …; without it, a text"
	cmd.AddCommand(fetchCommand(w, f))
	return cmd
}

// check reports invalid values and combinations of flags.
func (q *flags) check(f *options.Flags, proxies []string) error {
	switch {
	case len(q.files) == 0:
		return process.Usagef("whatif: no change: name a file with -f")
	case len(f.WhatIf) > 0:
		return process.Usagef("--what-if: the change of whatif is given with -f")
	case q.dryRun && len(f.Snapshots) > 0:
		return process.Usagef("--server-dry-run: a snapshot has no API server")
	case q.dryRun && q.remove:
		return process.Usagef("--server-dry-run and --delete: there is nothing to default")
	case slices.Contains(q.files, "-") && slices.Contains(f.Snapshots, "-"):
		return process.Usagef(`standard input ("-") can be read once only`)
	case q.patch && f.Output.Format != "" && f.Output.Format != formatPatch:
		return process.Usagef("--json-patch and -o %s: one of them", f.Output.Format)
	}
	for _, v := range slices.Concat(q.env, f.IstiodEnv) {
		if name, _, ok := strings.Cut(v, "="); !ok || name == "" {
			return process.Usagef("--env %s: a variable is NAME=value", v)
		}
	}
	for _, r := range q.requests {
		if proxy, url, ok := strings.Cut(r, "="); !ok || proxy == "" || !strings.Contains(url, "://") {
			return process.Usagef("--request %s: it is PROXY=URL, like productpage-v1=http://reviews:9080/", r)
		}
	}
	if f.Output.Format == formatPatch {
		q.patch, f.Output.Format = true, ""
	}
	return f.Check(proxies)
}

func (q *flags) run(ctx context.Context, w *process.World, f *options.Flags, proxies []string, cmd *cobra.Command) (err error) {
	ctx, stop := w.WithTimeout(ctx, f.Timeout)
	defer stop()
	if err := q.check(f, proxies); err != nil {
		return err
	}
	r := &run.Run{World: w, Flags: f, Argv: &options.CommandLine{}, Request: &run.Request{Query: ".", Proxies: proxies}, Changed: cmd.Flags().Changed}
	if r.Labels, err = labels.Parse(r.Selector); err != nil {
		return process.Usagef("-l %s: %s", r.Selector, process.Fact(err))
	}
	defer r.ShowProgress()()
	r.OpenOutput()
	r.Started = r.Now()
	o := r.PrinterOptions(ctx)
	if err := o.Validate(); err != nil {
		return process.Exit(process.ExitUsage, err)
	}
	answers, err := r.OpenPresent(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, run.CloseAll(ctx, answers)) }()
	want := run.WhatIf{Files: q.files, Remove: q.remove, All: q.all, Env: q.env}
	if q.dryRun {
		want.Adjust = func(ctx context.Context, objects []map[string]any) ([]map[string]any, error) {
			return serverDryRun(ctx, r, objects)
		}
	}
	p, err := run.Predict(ctx, r, answers, want)
	if err != nil {
		return err
	}
	a, err := newAnswer(ctx, r, p, answers, q)
	if err != nil {
		return r.Opening(ctx, process.Exit(process.ExitRun, err))
	}
	r.Progress.End()
	if !r.Quiet {
		if err := a.print(ctx, r, q, answers); err != nil {
			return process.Exit(process.ExitRun, err)
		}
	}
	if err := r.Stdout.Flush(); err != nil && !process.ReaderLeft(err) {
		return process.Exit(process.ExitRun, err)
	}
	return a.exit(r)
}

// exit returns the error with the exit code of the answer; nil if nothing breaks.
func (a *answer) exit(r *run.Run) error {
	var codes []int
	if a.prediction.Refused() || slices.ContainsFunc(a.fresh, finding.breaks) {
		codes = append(codes, process.ExitFound)
	}
	if slices.ContainsFunc(a.traces, traced.broke) {
		codes = append(codes, process.ExitFound)
	}
	p := a.prediction
	for _, f := range slices.Concat(p.Inputs.Unread, a.faults) {
		r.Fault(f)
	}
	unknown := len(a.unjudged) > 0 || len(p.Blocked) > 0 || len(p.Overlay.Unpredicted) > 0 || p.Overlay.IsEmpty() || !p.Gate.Passed()
	if n := r.TellFaults(); (n > 0 || unknown) && !r.AllowPartial {
		codes = append(codes, process.ExitPartial)
	}
	if code := process.Strongest(codes...); code != process.ExitOK {
		return process.Exit(code, nil)
	}
	return nil
}

// proxies returns a number of proxies in words.
func proxies(n int) string { return run.Plural(n, "proxy", "proxies") }
