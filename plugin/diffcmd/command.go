package diffcmd

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/plugin/options"
	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/plugin/run"
	"github.com/meshq/kubectl-meshq/query/diff"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/labels"
)

const diffLong = `Compare the configuration of each proxy with the one that istiod would send now: clusters, listeners, routes, endpoints and
extensions. A proxy in sync has no differences: both sides are compared as Envoy reads them. Without names, all proxies are
compared. istiod computes a push for each of them.

The exit code is 0 without differences, and 1 with any.

  -o json, yaml, table, …   one Difference per place: resource, path, pilot, envoy, and the Istio resource it is from
  -o jsonpatch              the JSON Patch that turns istiod's side into what the proxy has
  --with PROXY|SNAPSHOT     compare with another proxy of the mesh, or with a snapshot. The ids, names and addresses of the two
                            pods, and their certificates, are no difference unless --all is set
  --against SNAPSHOT        compare with the same proxy of another mesh: yesterday with today. Digests of another key
                            can't be compared (exit code 6): record both with --redact-key
  --file DUMP               take the proxy's configuration from a config dump, without contacting its Envoy
  --what-if FILE            compare what istiod sends now with what it would send with the objects of FILE applied
  KUBECTL_EXTERNAL_DIFF     the program that shows two folders, as with kubectl diff`

// formatPatch is a format of -o that no other command has.
const formatPatch = "jsonpatch"

// Options holds the flags of the command diff.
type Options struct {
	sections []string
	against  string
	with     string // a proxy, or a snapshot
	all      bool   // with --with PROXY: names and addresses count, too
	DumpFile string // path of a config dump that replaces the proxy's own
	patch    bool
	Around   int
}

// Unchanged is the default number of unchanged lines that are shown around a change.
// It is the same as in istioctl.
const Unchanged = 7

// New returns the command "diff [PROXY…]".
func New(w *process.World, f *options.Flags) *cobra.Command {
	name := process.CalledAs(w.Args[0])
	d := &Options{}
	cmd := &cobra.Command{
		Use:   options.DiffName + " [PROXY…]",
		Short: "Compare what Pilot would send to proxies with what they hold",
		Long:  diffLong,
		Example: process.Indent([]string{
			name + " diff reviews-v2",
			name + " diff deploy/reviews-v2 --sections clusters -o json",
			name + " diff reviews-v2 --with reviews-v1 --sections routes",
			name + " diff -n shop --against yesterday.tar.zst",
		}),
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, words []string) error { return d.Run(cmd.Context(), w, f, words, cmd) },
	}
	set := cmd.Flags()
	f.BindMesh(set)
	f.Output.Bind(set)
	set.BoolVar(&f.AllowPartial, "allow-partial", false, "exit 0 or 1 even if some of the mesh could not be read")
	set.BoolVarP(&f.Quiet, "quiet", "q", false, "print nothing: only the exit code")
	set.BoolVar(&f.Explain, "explain", false, "print all requests on stderr")
	set.StringSliceVar(&d.sections, "sections", nil, "only these: clusters,listeners,routes,endpoints,extensions")
	set.StringVar(&d.against, "against", "", "compare with the same proxies of another mesh, as --snapshot takes one")
	set.StringVar(&d.with, "with", "", "compare with this proxy, or with this snapshot")
	set.BoolVar(&d.all, "all", false, "with --with PROXY: also the ids, names and addresses of the two pods")
	set.StringVar(&d.DumpFile, "file", "", "a config dump of the proxy that is named, instead of asking its Envoy")
	set.BoolVar(&d.patch, "json-patch", false, "the same as -o jsonpatch")
	set.IntVarP(&d.Around, "unified", "U", Unchanged, "how many unchanged lines are shown around each change")
	set.Lookup("output").Usage = "how to print: json, yaml, table, jsonpatch, …; without it, a unified diff"
	return cmd
}

// Run compares the named proxies, or all proxies if none is named.
func (d *Options) Run(ctx context.Context, w *process.World, f *options.Flags, proxies []string, cmd *cobra.Command) (err error) {
	ctx, stop := w.WithTimeout(ctx, f.Timeout)
	defer stop()
	r := &run.Run{
		World: w, Flags: f, Argv: &options.CommandLine{}, Request: &run.Request{Query: ".proxies[] | diff", Proxies: proxies}, Changed: cmd.Flags().Changed,
	}
	if err := d.useWith(r); err != nil {
		return err
	}
	if err := d.check(r); err != nil {
		return err
	}
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
	if d.predicts(r) {
		return d.runWhatIf(ctx, r)
	}
	answers, err := r.OpenSources(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, run.CloseAll(ctx, answers)) }()
	other, err := d.openOther(ctx, r)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, run.CloseAll(ctx, other.against), run.CloseAll(ctx, other.held)) }()
	return r.Within(ctx, answers, func(ctx context.Context) error {
		return d.over(d.withDigests(ctx, r, answers, other), r, other)
	})
}

// check reports invalid values and combinations of the flags. It turns -o jsonpatch
// into --json-patch, because other commands don't know this format.
func (d *Options) check(r *run.Run) error {
	var known []string
	for _, s := range diff.Sections() {
		known = append(known, string(s))
	}
	for _, s := range d.sections {
		if !slices.Contains(known, s) {
			return process.Usagef("--sections %s: nothing that is compared; that is %s", s, strings.Join(known, ", "))
		}
	}
	switch {
	case d.readsTwice(r.Snapshots):
		return process.Usagef(`standard input ("-") can be read once only`)
	case d.Around < 0:
		return process.Usagef("-U %d: not a number from 0", d.Around)
	case d.patch && r.Output.Format != "" && r.Output.Format != formatPatch:
		return process.Usagef("--json-patch and -o %s: one of them", r.Output.Format)
	}
	if r.Output.Format == formatPatch {
		d.patch, r.Output.Format = true, ""
	}
	return r.Check(r.Request.Proxies)
}

// readsTwice reports whether standard input would be read more than once.
func (d *Options) readsTwice(snapshots []string) bool {
	n := 0
	for _, path := range append([]string{d.against, d.DumpFile}, snapshots...) {
		if path == "-" {
			n++
		}
	}
	return n > 1
}

// over compares the proxies of the mesh.
func (d *Options) over(ctx context.Context, r *run.Run, other others) error {
	all, err := d.proxies(ctx, r)
	if err != nil {
		return err
	}
	c := &comparison{Run: r, Options: d}
	if d.with != "" {
		if all, err = c.chooseWith(ctx, all); err != nil {
			return err
		}
	}
	c.several = len(all) > 1
	closeOthers, err := c.openOthers(ctx, other, len(all))
	if err != nil {
		return err
	}
	defer closeOthers()
	if err := r.OpenPrinter(ctx); err != nil {
		return err
	}
	c.view = c.chosenView()
	r.FailOnMatch = true // differences set exit code 1
	for _, p := range all {
		if err = c.proxy(ctx, p); err != nil {
			break
		}
	}
	if err == nil {
		err = c.view.close(ctx)
	}
	if c.other != nil {
		for _, f := range c.other.LeftOut() {
			r.Fault(f)
		}
	}
	err = r.Ended(err)
	r.ExplainAsked()
	return err
}

// proxies returns the proxies to compare. If the command line names none, these are
// all proxies except ztunnels.
func (d *Options) proxies(ctx context.Context, r *run.Run) ([]*mesh.Object, error) {
	v, err := mesh.Get(ctx, r.Mesh.Document(), "proxies")
	if err == nil {
		v, err = mesh.Force(ctx, v)
	}
	if err != nil {
		return nil, r.Opening(ctx, err)
	}
	list, _ := v.([]any)
	var all []*mesh.Object
	for _, p := range list {
		o, ok := p.(*mesh.Object)
		if !ok {
			continue
		}
		kind, err := mesh.Get(ctx, o, "type")
		if err != nil {
			return nil, err
		}
		if kind == mesh.ZTunnel && len(r.Request.Proxies) == 0 {
			continue // a ztunnel has none of the compared sections
		}
		all = append(all, o)
	}
	switch live := len(r.Snapshots) == 0; {
	case len(all) == 0:
		r.Note("no proxies were found" + r.Among())
	case live && r.MaxFetch > 0 && len(all) > r.MaxFetch && d.against == "" && d.with == "":
		return nil, process.Usagef("diff: %d proxies: a Pilot would compute a push for each; name some, or allow it with --max-fetch %d", len(all), len(all))
	}
	return all, nil
}

// wanted returns the sections to compare.
func (d *Options) wanted() []mesh.Section {
	if len(d.sections) == 0 {
		return diff.Sections()
	}
	return slices.DeleteFunc(diff.Sections(), func(s mesh.Section) bool { return !slices.Contains(d.sections, string(s)) })
}

// A comparison compares the proxies one after another.
type comparison struct {
	*run.Run
	*Options
	several   bool
	other     *otherMesh   // the mesh of --against; nil if the proxies are compared with istiod's configuration
	current   string       // the id of the proxy that is compared
	withProxy *mesh.Object // the proxy of --with; nil without
	dump      *mesh.Object // the proxy of the config dump of --file; nil without --file
	view      view
}

// A view prints the differences of each proxy.
type view interface {
	begin(id string)
	section(ctx context.Context, s diff.Section, of *mesh.Object) error
	end(ctx context.Context) error
	close(ctx context.Context) error
}

// proxy compares one proxy. If a part of it is unavailable, proxy records a fault,
// and the other proxies are still compared.
func (c *comparison) proxy(ctx context.Context, p *mesh.Object) error {
	id, err := run.TextOf(ctx, p, "id")
	if err != nil {
		return err
	}
	c.current = id
	var a *mesh.Object
	if c.withProxy == nil {
		if a, err = c.side(ctx, p, id); a == nil && err == nil {
			return nil
		}
	}
	begun, b := false, p
	if c.dump != nil {
		b = c.dump
	}
	if err == nil {
		show := func(s diff.Section) error {
			if !begun {
				c.view.begin(id)
				begun = true
			}
			if s.Edit != nil {
				c.Results++
			}
			return c.view.section(ctx, s, p)
		}
		if c.withProxy == nil {
			err = diff.Proxies(ctx, a, b, c.wanted(), show)
		} else {
			for _, s := range c.wanted() {
				if err = c.compareWith(ctx, p, s, show); err != nil {
					break
				}
			}
		}
	}
	var fault *mesh.Fault
	if errors.As(err, &fault) && ctx.Err() == nil {
		c.Fault(fault)
		err = nil
	}
	if err != nil || !begun {
		return err
	}
	return c.view.end(ctx)
}

// side returns the object that a proxy is compared with. It returns nil if there is
// none.
func (c *comparison) side(ctx context.Context, p *mesh.Object, id string) (*mesh.Object, error) {
	if c.other == nil {
		return c.Mesh.Desired(ctx, p)
	}
	same, err := c.other.find(ctx, p)
	if same == nil && err == nil {
		c.Note(id + " is not in " + c.against + ", and neither is another one of its workload")
		c.Results++
	}
	return same, err
}

// sides returns the names of the two sides.
func (c *comparison) sides() (a, b string) {
	switch {
	case c.withProxy != nil:
		return c.with, c.current
	case c.other == nil:
		return "Pilot", "Envoy"
	case c.predicts(c.Run):
		return present, "what-if"
	}
	return baseName(c.against), "Envoy"
}
