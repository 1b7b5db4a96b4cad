package printers

import (
	"context"
	"io"
	"time"
)

// A Printer puts results on a stream, one after another. One that may print
// tables also has a method PrintedTable() bool, which tells whether it did.
type Printer interface {
	// Render makes of a result what Print takes. It may be called by several
	// goroutines at once, in any order. It loads only what will be printed. A
	// part of v that can't be had is printed as null, or <unknown> in a table;
	// when v itself can't be had, the error is its [mesh.Fault].
	Render(ctx context.Context, v any) (any, error)

	// Print takes what Render gave, in the order of the results.
	Print(rendered any) error

	// Close prints what was held back and ends what was begun: the last block
	// of a table, a list. It is called once, also after an error of the query.
	Close() error
}

// A Lasting printer prints the results of several rounds below one another,
// under one header.
type Lasting interface {
	Printer

	// Begin begins a round: ages in it are counted from now.
	Begin(now time.Time)

	// Flush prints what is held back of the round.
	Flush() error

	// Says writes what a rendered result says, whatever is printed around it:
	// two that say the same look the same. It takes the place of Print.
	Says(w io.Writer, rendered any) error
}

// New gives the printer that the options ask for. The error is a
// [*UsageError], or what reading a template file met.
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
