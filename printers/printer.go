package printers

import (
	"context"
	"io"
	"time"
)

// A Printer writes results to a stream, one after another. A printer that may
// print tables also has a method PrintedTable() bool, which reports whether it
// printed one.
type Printer interface {
	// Render turns a result into a value for Print. Several goroutines may call
	// it at once, in any order. It loads only what will be printed. An
	// unavailable part of v is printed as null, or as <unknown> in a table. If
	// v itself is unavailable, the error is its [mesh.Fault].
	Render(ctx context.Context, v any) (any, error)

	// Print writes a value that Render returned. It must be called in the order
	// of the results.
	Print(rendered any) error

	// Close prints the results that are still buffered and the end of an open
	// table or list. It is called once, also after the query failed.
	Close() error
}

// A Lasting printer prints the results of repeated runs of a query, as --watch
// does. All runs share one header.
type Lasting interface {
	Printer

	// Begin starts a run. The ages in its results are relative to now.
	Begin(now time.Time)

	// Flush prints the results of the run that are still buffered.
	Flush() error

	// Says writes the content of a rendered result to w, without any layout.
	// Two results are equal to a reader exactly if Says writes the same bytes
	// for both. A result is passed either to Says or to Print, never to both.
	Says(w io.Writer, rendered any) error
}

// New returns the printer for the options. The error is a [*UsageError] or an
// error of reading a template file.
func New(o Options) (Printer, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	p, err := byFormat(o)
	if err != nil || o.SortBy == "" {
		return p, err
	}
	return newSorted(o, p)
}

func byFormat(o Options) (Printer, error) {
	name, template, err := o.template()
	if err != nil {
		return nil, err
	}
	switch name {
	case "json", "yaml", "kyaml":
		return newList(o, name), nil
	case "ndjson":
		return newNDJSON(o), nil
	case "name":
		return &namePrinter{out: o.Out}, nil
	case "jsonpath", "jsonpath-as-json":
		return newJSONPath(o, name, template)
	case "go-template":
		return newGoTemplate(o, template)
	case "custom-columns":
		return newCustomColumns(o, template)
	case "custom-columns-file":
		return newCustomColumnsFile(o, template)
	}
	if o.streams() {
		return newStream(o), nil
	}
	return newTables(o, name), nil
}
