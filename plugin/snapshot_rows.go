package plugin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/meshq/kubectl-meshq/plugin/partition"
	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/plugin/run"
	"github.com/meshq/kubectl-meshq/sources/recording"
)

// runPartitioned records the mesh to the folder of --to, and writes the rows of the
// recording beside it. A recording that lacks parts gets its place too: its rows say
// what is missing, and the exit code is that of the recording.
func (s *snapshot) runPartitioned(ctx context.Context, r *run.Run, o recording.Options) (err error) {
	folder, err := partition.Open(r.Scratch, s.to, s.force)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, folder.Abandon()) }()
	s.file = folder.Archive()
	partial := s.record(ctx, r, o)
	var exit *process.ExitError
	if partial != nil && !(errors.As(partial, &exit) && exit.Code == process.ExitPartial) {
		return partial
	}
	rows, err := folder.Write(ctx, partition.Options{Sections: o.Sections, Faults: s.faults, Memory: int64(r.Sections()), Quota: r.Quota()})
	var places []string
	if err == nil {
		places, err = folder.Commit(ctx, rows)
	}
	switch {
	case ctx.Err() != nil && err != nil:
		return process.Exit(process.ExitRun, context.Cause(ctx))
	case errors.As(err, &exit):
		return err
	case err != nil:
		return process.Exit(process.ExitUsage, fmt.Errorf("--to %s: %s", s.to, process.Fact(err)))
	}
	r.Message(func(w io.Writer) {
		fmt.Fprintf(w, "%s: %s\n", strings.Join(places, ", "), run.Plural(rows.Count, "row", "rows"))
		if rows.Unread > 0 {
			fmt.Fprintf(w, "%s of proxies could not be read; reads.ndjson.gz names them\n", run.Plural(rows.Unread, "section", "sections"))
		}
	})
	if rows.Unread > 0 && partial == nil && !r.AllowPartial { // a snapshot may lack what its own source lacked
		return process.Exit(process.ExitPartial, nil)
	}
	return partial
}
