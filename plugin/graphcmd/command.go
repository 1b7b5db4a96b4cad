package graphcmd

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/plugin/options"
	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/plugin/run"
	"github.com/meshq/kubectl-meshq/printers"
	"github.com/meshq/kubectl-meshq/query/graph"
	"github.com/spf13/cobra"
)

const long = `Who can send requests to whom, by the configuration of the proxies alone: workloads and gateways, their routes with weights and
conditions, services, and the workloads behind them. What is broken is marked: a route to no cluster or no healthy endpoint, a
route that an earlier one hides, a proxy that is not in sync. No traffic is observed.

NAME is a workload, a gateway, a service (svc/x where a workload has the same name) or a proxy.

  -o tree      text (the default)
  -o mermaid   a flowchart for Markdown pages (GitHub, GitLab)
  -o dot       for Graphviz: … -o dot | dot -Tsvg > mesh.svg
  -o json      {nodes, edges, unknowns}: each edge with its route, share, cluster and proxies

The exit code is 6 if a part of the mesh could not be read: the edges that it would give are missing, and the graph names it.`

// formats are the values of -o.
var formats = []string{"tree", "mermaid", "dot", "json"}

type command struct {
	selection graph.Selection
	format    string
}

// New returns the command "graph".
func New(w *process.World, f *options.Flags) *cobra.Command {
	name := process.CalledAs(w.Args[0])
	c := &command{}
	cmd := &cobra.Command{
		Use:   "graph [--from NAME] [--to NAME] [--depth N]",
		Short: "Who can send requests to whom, as a tree, Mermaid, DOT or JSON",
		Long:  long,
		Example: process.Indent([]string{
			name + " graph --snapshot demo --from istio-ingressgateway",
			name + " graph --snapshot demo --to svc/ratings",
			name + " graph --snapshot demo -o mermaid",
		}),
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.run(cmd, w, f) },
	}
	set := cmd.Flags()
	f.BindMesh(set)
	set.StringVarP(&c.format, "output", "o", "tree", "how to print: "+strings.Join(formats, ", "))
	set.StringSliceVar(&c.selection.From, "from", nil, "only what these can send to; repeat it for several")
	set.StringSliceVar(&c.selection.To, "to", nil, "only what can send to these; repeat it for several")
	set.IntVar(&c.selection.Depth, "depth", 1, "with --from or --to: how many workloads away at most (0: any number)")
	set.Var(&f.Output.Color, "color", "auto, always or never")
	set.BoolVar(&f.AllowPartial, "allow-partial", false, "exit 0 even if some of the mesh could not be read")
	set.BoolVar(&f.Explain, "explain", false, "print all requests on stderr")
	return cmd
}

func (c *command) run(cmd *cobra.Command, w *process.World, f *options.Flags) error {
	switch {
	case !slices.Contains(formats, c.format):
		return process.Usagef("-o %s: graph prints %s", c.format, strings.Join(formats, ", "))
	case c.selection.Depth < 0:
		return process.Usagef("--depth %d: not a number from 0", c.selection.Depth)
	}
	ctx, stop := w.WithTimeout(cmd.Context(), f.Timeout)
	defer stop()
	var r *run.Run
	b := &graph.Builder{}
	request := &run.Request{Query: graph.Facts, File: "graph.jq", Ours: true, Printer: func(out io.Writer) printers.Printer {
		return printers.NewEach(b.Add, func() error { return c.print(r, out, b.Graph()) })
	}}
	if err := f.Check(nil); err != nil {
		return err
	}
	r = &run.Run{World: w, Flags: f, Argv: &options.CommandLine{}, Request: request, Changed: cmd.Flags().Changed}
	return r.Do(ctx)
}

// print prints the selected part of a graph.
func (c *command) print(r *run.Run, out io.Writer, g *graph.Graph) error {
	part, unknown := g.Select(c.selection)
	if len(unknown) > 0 {
		return process.Exit(process.ExitRun, fmt.Errorf("no workload, service or proxy named %s", strings.Join(unknown, ", ")))
	}
	switch c.format {
	case "mermaid":
		return part.WriteMermaid(out)
	case "dot":
		return part.WriteDOT(out)
	case "json":
		return part.WriteJSON(out)
	}
	var mark func(string) string
	if r.Colored() {
		mark = printers.Red
	}
	width := 0
	if r.OutTerminal && r.OutWidth != nil {
		width = r.OutWidth()
	}
	return part.WriteTree(out, width, mark)
}
