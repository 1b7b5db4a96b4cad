package diffcmd

import (
	"context"
	"fmt"
	"strings"

	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/query/diff"
	"github.com/meshq/kubectl-meshq/query/library"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// chosenView returns the view that the flags and KUBECTL_EXTERNAL_DIFF select.
func (c *comparison) chosenView() view {
	switch program := c.Env("KUBECTL_EXTERNAL_DIFF"); {
	case c.Quiet:
		return silence{}
	case c.patch:
		return &patchView{comparison: c}
	case c.Output.Format != "":
		return &rowView{comparison: c}
	case program != "":
		return &externalView{comparison: c, program: program}
	}
	return &textView{comparison: c}
}

// silence is the view of --quiet. It prints nothing.
type silence struct{}

func (silence) begin(string)                                              {}
func (silence) section(context.Context, diff.Section, *mesh.Object) error { return nil }
func (silence) end(context.Context) error                                 { return nil }
func (silence) close(context.Context) error                               { return nil }

// A textView prints unified diffs, one section after another, in istioctl's form.
type textView struct {
	*comparison
	shown int // the number of proxies printed so far
}

func (v *textView) begin(id string) {
	if !v.several {
		return
	}
	if v.shown++; v.shown > 1 {
		fmt.Fprintln(v.Stdout)
	}
	fmt.Fprintln(v.Stdout, v.bright(process.OneLine(id)))
}

func (v *textView) section(ctx context.Context, s diff.Section, _ *mesh.Object) error {
	title := titleOf(s)
	if s.Edit == nil {
		_, err := fmt.Fprintln(v.Stdout, title+" Match")
		return err
	}
	v.refusals(s)
	a, b := v.sides()
	fmt.Fprintln(v.Stdout, v.bright("--- "+a+" "+title))
	fmt.Fprintln(v.Stdout, v.bright("+++ "+b+" "+title))
	err := s.Unified(ctx, v.Around, func(l diff.TextLine) {
		text := string(l.Op) + l.Text
		if l.Op == '@' {
			text = process.OneLine(l.Text)
		}
		fmt.Fprintln(v.Stdout, v.painted(l.Op, text))
	})
	if err == nil {
		_, err = fmt.Fprintln(v.Stdout)
	}
	return err
}

// refusals prints the resources that Envoy rejected or is still warming, with the
// reason.
func (v *textView) refusals(s diff.Section) {
	told := map[string]bool{}
	for _, c := range s.Changes() {
		if c.Resource == nil || told[c.Resource.Name] {
			continue
		}
		told[c.Resource.Name] = true
		switch {
		case c.Resource.Refused != "":
			fmt.Fprintln(v.Stdout, process.OneLine("Envoy rejected "+c.Resource.Name+": "+c.Resource.Refused))
		case c.Resource.Warming:
			fmt.Fprintln(v.Stdout, process.OneLine("Envoy has another "+c.Resource.Name+" that is still warming"))
		}
	}
}

func (v *textView) end(context.Context) error {
	if v.OutTerminal {
		return v.Stdout.Flush()
	}
	return nil
}

func (v *textView) close(context.Context) error { return nil }

func titleOf(s diff.Section) string {
	name := string(s.Name)
	return strings.ToUpper(name[:1]) + name[1:]
}

func (v *textView) bright(text string) string { return v.coloredIn("1", text) }

// painted returns a line of a diff in the colour that git uses for it.
func (v *textView) painted(op byte, text string) string {
	switch op {
	case '-':
		return v.coloredIn("31", text)
	case '+':
		return v.coloredIn("32", text)
	case '@':
		return v.coloredIn("36", text)
	}
	return text
}

func (v *textView) coloredIn(code, text string) string {
	if !v.Colored() {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// A rowView prints each difference as an object of the kind Difference.
type rowView struct {
	*comparison
}

func (v *rowView) begin(string) {}

func (v *rowView) section(ctx context.Context, s diff.Section, of *mesh.Object) error {
	a, b := "pilot", "envoy"
	if v.other != nil || v.withProxy != nil {
		a, b = "a", "b"
	}
	for _, c := range s.Changes() {
		rendered, err := v.Printer.Render(ctx, library.Difference(c, of, a, b))
		if err != nil {
			return err
		}
		if err := v.Printer.Print(rendered); err != nil {
			return err
		}
	}
	return nil
}

func (v *rowView) end(context.Context) error   { return nil }
func (v *rowView) close(context.Context) error { return nil }

// A patchView prints a JSON Patch for each proxy. If several proxies are compared,
// each patch is printed together with the id of its proxy.
type patchView struct {
	*comparison
	id         string
	operations []any
}

func (v *patchView) begin(id string) { v.id, v.operations = id, []any{} }

func (v *patchView) section(_ context.Context, s diff.Section, _ *mesh.Object) error {
	v.operations = append(v.operations, library.PatchOperations(s)...)
	return nil
}

func (v *patchView) end(ctx context.Context) error {
	var out any = v.operations
	if v.several {
		out = object.Of("proxy", v.id, "patch", v.operations)
	}
	rendered, err := v.Printer.Render(ctx, out)
	if err != nil {
		return err
	}
	return v.Printer.Print(rendered)
}

func (v *patchView) close(context.Context) error { return nil }
