package plugin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/meshq/kubectl-meshq/plugin/options"
	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/plugin/run"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/recording"
	"github.com/meshq/kubectl-meshq/sources/requests"
	"github.com/meshq/kubectl-meshq/sources/transport"
	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/labels"
)

const snapshotLong = `Record the mesh in one file for --snapshot: queries on it give the same results as on the mesh. FILE is a .tar.zst that
tar --zstd -x unpacks; "-" is standard output. It is written whole, with mode 0600, or not at all.

What is recorded                      with --sections                      besides
  pilots/      syncz adsz configz …    always                               --desired: what Pilot would send to each proxy
  kubernetes/  pods services …         always
  proxies/     config_dump             clusters listeners routes endpoints
                                       secrets extensions bootstrap
               clusters                endpoints
               listeners               listeners
               certs                   secrets
               server_info             server
               stats                   stats
               logging                 loggers
               ready                   (only without --sections)
  of a ztunnel config_dump             workloads services policies
                                       connections secrets

-n, -l and the names of proxies select the proxies.

Only text that is known to be harmless is kept: names, hosts, paths, addresses, numbers, labels, policies. Before anything is
written to FILE, other text is replaced by a keyed digest, redacted:<16 hex>, and keys, tokens, passwords and environments by a
fixed word (docs/safety.md has the table). Equal texts have equal digests within FILE, and with --redact-key (a file of 16 bytes
or more) also between snapshots; trace --redact-key can then compare a header with a digest.

With --to DIR, the file is DIR/cluster=ID/date=DATE/hour=HOUR/mesh.tar.zst (UTC), and beside it are rows for DuckDB or ClickHouse,
made from it: proxies.ndjson.gz, clusters.ndjson.gz and so on, and reads.ndjson.gz with what was read and what was not.

What can't be read is reported on stderr and in the manifest, everything else is recorded, and the exit code is 6.`

// A snapshot contains the words and flags of the command snapshot.
type snapshot struct {
	file     string
	to       string // the folder of --to; empty: only the file is written
	sections []string
	desired  bool
	shard    string
	force    bool
	redact   string
	key      string
	keep     []string
	yes      bool

	faults []*mesh.Fault // what the recording could not read
}

// snapshotCommand returns the command "snapshot FILE [PROXY…]".
func snapshotCommand(w *process.World, f *options.Flags) *cobra.Command {
	name := process.CalledAs(w.Args[0])
	s := &snapshot{}
	cmd := &cobra.Command{
		Use:   "snapshot FILE|--to DIR [PROXY…]",
		Short: "Record the mesh in a file, without its secrets",
		Long:  snapshotLong,
		Example: process.Indent([]string{
			name + " snapshot mesh.tar.zst",
			name + " snapshot shop.tar.zst -n shop --sections clusters,routes,endpoints",
			name + " snapshot reviews.tar.zst reviews-v1 reviews-v2 --desired",
			name + " snapshot shard-2.tar.zst --shard 2/8",
			name + " snapshot --to recordings",
		}),
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, words []string) error {
			switch {
			case s.to != "" && s.shard != "":
				return process.Usagef("--to: it records all proxies; --shard goes with a FILE")
			case s.to != "":
				return s.run(cmd.Context(), w, f, words, cmd)
			case len(words) == 0:
				return process.Usagef("snapshot: no file to write, like mesh.tar.zst")
			}
			s.file = words[0]
			return s.run(cmd.Context(), w, f, words[1:], cmd)
		},
	}
	set := cmd.Flags()
	f.BindMesh(set)
	set.BoolVar(&f.AllowPartial, "allow-partial", false, "exit 0 also when some of the mesh could not be recorded")
	set.StringSliceVar(&s.sections, "sections", nil, "only these sections of the proxies: clusters,routes")
	set.StringVar(&s.to, "to", "", "a folder for SQL engines: the recording and its rows in cluster=ID/date=DATE/hour=HOUR (docs/sql.md)")
	set.BoolVar(&s.desired, "desired", false, "also what Pilot would send to each proxy, which it has to compute")
	set.StringVar(&s.shard, "shard", "", "only a part of the proxies, as 2/8: several that record, and are read as one, --snapshot 'shard-*'")
	set.BoolVar(&s.force, "force", false, "replace a file that is there")
	set.StringVar(&s.redact, "redact", "harmless", "what stays: harmless, what is known to be; envoy, all that Envoy and the API server give, which asks")
	set.StringVar(&s.key, "redact-key", "", "file with the key of the digests, so that snapshots of one key can be compared")
	set.StringArrayVar(&s.keep, "keep", nil, "also keep the text of a field, as docs/safety.md has it: HeaderValue:value (repeatable)")
	set.BoolVar(&s.yes, "yes", false, "don't ask whether --redact envoy is meant")
	set.Lookup("concurrency").Usage = "how many proxies are asked at once"
	for _, of := range []string{"max-fetch", "memory"} { // a recording keeps nothing in memory, so these limits don't apply
		set.Lookup(of).Hidden = true
	}
	return cmd
}

func (s *snapshot) run(ctx context.Context, w *process.World, f *options.Flags, proxies []string, cmd *cobra.Command) (err error) {
	ctx, stop := w.WithTimeout(ctx, f.Timeout)
	defer stop()
	r := &run.Run{World: w, Flags: f, Argv: &options.CommandLine{}, Request: &run.Request{Proxies: proxies}, Changed: cmd.Flags().Changed}
	o, err := s.options()
	if err != nil {
		return err
	}
	if err := f.Check(r.Request.Proxies); err != nil {
		return err
	}
	if o.Redaction, err = s.redaction(ctx, w); err != nil {
		return err
	}
	if r.Labels, err = labels.Parse(r.Selector); err != nil {
		return process.Usagef("-l %s: %s", r.Selector, process.Fact(err))
	}
	defer r.ShowProgress()()
	r.OpenOutput()
	r.Started = r.Now()
	if s.to != "" {
		return s.runPartitioned(ctx, r, o)
	}
	return s.record(ctx, r, o)
}

// record records the mesh to the file.
func (s *snapshot) record(ctx context.Context, r *run.Run, o recording.Options) (err error) {
	to, err := r.OpenTarget(s.file, s.force, r.Stdout)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Abandon()) }()
	answers, err := r.OpenSources(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, run.CloseAll(ctx, answers)) }()
	return r.Within(ctx, answers, func(ctx context.Context) error { return s.recordMesh(ctx, r, to, o) })
}

// options returns the options for the recording that the flags select.
func (s *snapshot) options() (recording.Options, error) {
	o := recording.Options{Desired: s.desired, Tally: &recording.Tally{}}
	var known []string
	for _, part := range mesh.Sections() {
		known = append(known, string(part.Name))
	}
	for _, name := range s.sections {
		if !slices.Contains(known, name) {
			return o, process.Usagef("--sections %s: no section of a proxy; these are %s", name, strings.Join(known, ", "))
		}
		o.Sections = append(o.Sections, mesh.Section(name))
	}
	if s.shard == "" {
		return o, nil
	}
	part, of, _ := strings.Cut(s.shard, "/")
	var err1, err2 error
	o.Shard, err1 = strconv.Atoi(part)
	o.Shards, err2 = strconv.Atoi(of)
	if err1 != nil || err2 != nil || o.Shard < 1 || o.Shard > o.Shards || o.Shards > 1<<16 {
		return o, process.Usagef("--shard %s: not a part like 2/8", s.shard)
	}
	return o, nil
}

// recordMesh records the mesh to the file, and prints a summary to standard error.
func (s *snapshot) recordMesh(ctx context.Context, r *run.Run, to *process.Target, o recording.Options) error {
	r.Progress.Follow(func() requests.Progress {
		if p := o.Tally.Progress(); p.Total > 0 {
			return p
		}
		return r.Mesh.Progress()
	})
	w, err := transport.NewWriter(to, r.Mesh.Now())
	if err != nil {
		return err
	}
	done, err := r.Mesh.Record(ctx, w, o)
	if err == nil {
		err = w.Close()
	}
	if err == nil {
		err = to.Commit(ctx)
	}
	switch {
	case ctx.Err() != nil && err != nil:
		return process.Exit(process.ExitRun, context.Cause(ctx))
	case err != nil:
		return process.Exit(process.ExitUsage, err)
	}
	r.Progress.End()
	s.faults = done.Faults
	for _, f := range done.Faults {
		r.Fault(f)
	}
	r.TellFaults()
	r.Message(func(w io.Writer) { fmt.Fprintln(w, summary(cmp.Or(s.to, to.Name()), to.Written, done)) })
	if done.Partial && !r.AllowPartial {
		return process.Exit(process.ExitPartial, nil)
	}
	return nil
}

// summary returns the line that is printed after a recording.
func summary(name string, written int64, done recording.Result) string {
	parts := []string{
		run.Plural(done.Proxies, "proxy", "proxies"), run.Plural(done.Files, "file", "files"),
		fmt.Sprintf("%s, unpacked %s", run.InBrief(float64(written)), run.InBrief(float64(done.Bytes))),
	}
	text := name + ": " + strings.Join(parts, ", ")
	if done.Digested+done.Dropped > 0 {
		text += fmt.Sprintf("; redacted: %s digested, %d dropped", run.Plural(done.Digested, "text", "texts"), done.Dropped)
	}
	switch n := len(done.Faults); {
	case n > 0:
		text += "; partial: " + run.Plural(n, "fault", "faults")
	case done.Partial:
		text += "; partial, as what it was made of"
	}
	return text
}
