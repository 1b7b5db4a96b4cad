package report

import (
	"errors"
	"io"

	"github.com/meshq/kubectl-meshq/plugin/options"
	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/plugin/run"
	"github.com/meshq/kubectl-meshq/printers"
	"github.com/spf13/cobra"
)

const long = `A report about the whole mesh, for others: a summary, findings with advice, the state of every proxy, who can send requests to
whom, certificates by expiry, and what could not be read.

The HTML page is one file that needs nothing else, and makes no request. Its table of proxies can be sorted and filtered. Markdown
is for a pull request or the page of an incident: what is wrong, with the broken part of the graph.

  kubectl meshq report > mesh.html
  kubectl meshq report -o markdown

Most sections of every proxy are read, with one request per proxy. The exit code is 6 if a part could not be read; the report names
it.`

// New returns the command "report".
func New(w *process.World, f *options.Flags) *cobra.Command {
	name := process.CalledAs(w.Args[0])
	format := "html"
	cmd := &cobra.Command{
		Use:     "report [PROXY…]",
		Short:   "A page about the mesh, as HTML or Markdown",
		Long:    long,
		Example: process.Indent([]string{name + " report --snapshot demo -o html", name + " report -n shop -o markdown"}),
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, words []string) error {
			switch format {
			case "html":
				if w.OutTerminal {
					return process.Usagef("report: a page of HTML is not for a terminal: report > mesh.html, or -o markdown")
				}
			case "markdown", "md":
			default:
				return process.Usagef("-o %s: report prints html and markdown", format)
			}
			return write(cmd, w, f, words, format)
		},
	}
	set := cmd.Flags()
	f.BindMesh(set)
	set.StringVarP(&format, "output", "o", format, "how to print: html, markdown")
	set.BoolVar(&f.AllowPartial, "allow-partial", false, "exit 0 even if some of the mesh could not be read")
	set.BoolVar(&f.Explain, "explain", false, "print all requests on stderr")
	return cmd
}

func write(cmd *cobra.Command, w *process.World, f *options.Flags, proxies []string, format string) error {
	if err := f.Check(proxies); err != nil {
		return err
	}
	ctx, stop := w.WithTimeout(cmd.Context(), f.Timeout)
	defer stop()
	q, ok := query()
	if !ok {
		return errors.New("report: the checks are missing")
	}
	d := newData()
	d.Program = process.CalledAs(w.Args[0])
	var r *run.Run
	request := run.RequestFor(q, options.Arguments{}, proxies)
	request.Printer = func(out io.Writer) printers.Printer {
		return printers.NewEach(d.add, func() error {
			d.end(run.Unread(r))
			if format == "html" {
				return d.writePage(out)
			}
			return d.writeMarkdown(out)
		})
	}
	r = &run.Run{World: w, Flags: f, Argv: &options.CommandLine{}, Request: request, Changed: cmd.Flags().Changed}
	return r.Do(ctx)
}
