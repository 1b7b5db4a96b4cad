package printers

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/meshq/kubectl-meshq/printers/columns"
	"github.com/meshq/kubectl-meshq/printers/encode"
	"k8s.io/client-go/util/jsonpath"
)

// A customColumns printer prints a table whose columns the user defined, each
// by a JSONPath. It loads only the values that the paths name.
type customColumns struct {
	out     io.Writer
	headers []string
	paths   [][]jsonpath.Node
	lines   [][]string
	grid    *grid
}

// newCustomColumns parses a spec such as
// NAME:.metadata.name,NODE:.spec.nodeName.
func newCustomColumns(o Options, spec string) (Printer, error) {
	var headers, paths []string
	for _, part := range strings.Split(spec, ",") {
		header, path, ok := strings.Cut(part, ":")
		if !ok {
			return nil, usage("unexpected custom-columns spec: %s, expected <header>:<json-path-expr>", part)
		}
		headers, paths = append(headers, header), append(paths, path)
	}
	return columnsOf(o, headers, paths)
}

// newCustomColumnsFile parses a line of headers and a line of paths.
func newCustomColumnsFile(o Options, text string) (Printer, error) {
	var lines [][]string
	for s := bufio.NewScanner(strings.NewReader(text)); len(lines) < 2 && s.Scan(); {
		lines = append(lines, strings.Fields(s.Text()))
	}
	if len(lines) < 2 {
		return nil, usage("custom-columns-file: expected one line of space separated headers, one line of space separated column specs")
	}
	if len(lines[0]) != len(lines[1]) {
		return nil, usage("number of headers (%d) and field specifications (%d) don't match", len(lines[0]), len(lines[1]))
	}
	return columnsOf(o, lines[0], lines[1])
}

func columnsOf(o Options, headers, paths []string) (Printer, error) {
	p := &customColumns{out: o.Out, headers: headers, grid: newGrid(o.Out, o)}
	for _, path := range paths {
		nodes, err := relaxedPath(path)
		if err != nil {
			return nil, err
		}
		p.paths = append(p.paths, nodes)
	}
	if !o.NoHeaders {
		p.grid.header = headers
	}
	return p, nil
}

// relaxedSyntax matches the forms of a path that kubectl accepts.
var relaxedSyntax = regexp.MustCompile(`^\{\.?([^{}]+)\}$|^\.?([^{}]+)$`)

// relaxedPath parses a path in any of the forms metadata.name, .metadata.name
// and {.metadata.name}.
func relaxedPath(text string) ([]jsonpath.Node, error) {
	m := relaxedSyntax.FindStringSubmatch(text)
	if m == nil {
		return nil, usage("unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'")
	}
	nodes, err := parsePath("{." + m[1] + m[2] + "}")
	if err != nil {
		return nil, usage("%s: %v", text, err)
	}
	return nodes, nil
}

func (p *customColumns) Render(ctx context.Context, v any) (any, error) {
	objects, err := loadItems(ctx, v)
	if err != nil {
		return nil, err
	}
	var lines [][]string
	for _, v := range objects {
		line := make([]string, len(p.paths))
		for i, path := range p.paths {
			if line[i], err = pathCell(ctx, path, v); err != nil {
				return nil, err
			}
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// pathCell returns the values at a path as the text of a cell. Like kubectl, it
// prints values as Go does, with commas between several.
func pathCell(ctx context.Context, path []jsonpath.Node, v any) (string, error) {
	e := &pathEvaluation{ctx: ctx}
	found, err := e.template(path, v)
	if err != nil {
		return "", fmt.Errorf("custom-columns: %w", err)
	}
	var texts []string
	for _, values := range found {
		for _, v := range values {
			v, err := e.load(v)
			if err == nil && v != nil {
				v, err = encode.Plain(ctx, v)
			}
			if err != nil {
				return "", err
			}
			if v != nil {
				texts = append(texts, fmt.Sprint(v))
			}
		}
	}
	switch {
	case texts != nil:
		return columns.Clean(strings.Join(texts, ",")), nil
	case e.metUnavailable:
		return columns.Unknown, nil
	}
	return columns.None, nil
}

func (p *customColumns) Print(rendered any) error {
	p.lines = append(p.lines, rendered.([][]string)...)
	if len(p.lines) < maxBufferedRows {
		return nil
	}
	return p.flush()
}

func (p *customColumns) flush() error {
	lines := p.lines
	p.lines = nil
	return p.grid.print(lines, make([]bool, len(p.headers)))
}

func (p *customColumns) Close() error { return p.Flush() }

// Begin starts a run.
func (p *customColumns) Begin(time.Time) {}

// Says writes the cells of a result's lines.
func (p *customColumns) Says(w io.Writer, rendered any) error {
	return writeRows(w, rendered.([][]string))
}

// Flush prints the lines of the run. The lines of the next run follow below
// them.
func (p *customColumns) Flush() error {
	if len(p.lines) == 0 {
		return nil
	}
	return p.flush()
}
