package printers

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/meshq/kubectl-meshq/printers/encode"
)

// Options say how results are printed. They hold the values of command line
// flags, and what a printer may not get by itself, such as the time and files.
type Options struct {
	Out     io.Writer
	Context context.Context              // ends loads that happen after Render; nil: they are never cancelled
	Now     time.Time                    // the document's time; ages are relative to it
	Color   bool                         // alarming words in tables are red or yellow; JSON has jq's colours
	Colors  string                       // the value of JQ_COLORS, in jq's syntax; empty: jq's own colours
	Open    func(string) ([]byte, error) // reads the file of a -file format
	Note    func(string)                 // prints a line for the user that is not a result; may be nil

	Format            string // -o: the name of one of [Formats], followed by =TEMPLATE if it takes one; empty: tables or jq's JSON
	Template          string // --template, replaces the text after the = in Format
	MissingKeysFail   bool   // --allow-missing-template-keys=false
	ShowManagedFields bool   // metadata.managedFields in -o json, yaml and kyaml
	Ageless           bool   // tables show no ages, so that two tables differ only if something happened

	// The flags of jq's output. Each of these except Sorted prevents tables.
	// The first five apply to -o json too.
	Compact bool   // -c: one line per result
	Tab     bool   // --tab: indents by one tab per level
	Indent  string // --indent: the number of spaces per level, "0" to "9"; empty: two
	ASCII   bool   // -a: escapes characters that are not ASCII
	Sorted  bool   // -S: keys are sorted
	Raw     bool   // -r: prints strings without quotes
	Join    bool   // -j: like Raw, without newlines between results
	Raw0    bool   // --raw-output0: like Raw, with NUL in place of the newline after a result
	Seq     bool   // --seq: prints an RS character before each result

	// The flags of tables.
	NoHeaders    bool     // --no-headers
	ShowLabels   bool     // --show-labels
	ShowKind     bool     // --show-kind
	LabelColumns []string // -L

	// Columns are the headers of the columns that the table of a kind has, in
	// order. The key "" applies to all kinds without a key of their own, and to
	// the other objects of -o table. A column that is shown only under a
	// condition stays so. A nil map means the kind's own columns.
	Columns map[string][]string

	// Width is the width of the terminal that tables have to fit; 0: tables may
	// have any width. Blocks are the headers of the columns that are the first
	// line of a row's block, if a table of objects of no known kind is too wide;
	// nil: it stays a table.
	Width  int
	Blocks []string

	// SortBy is --sort-by: a path like .metadata.name or {.metadata.name}. All
	// results are buffered until the last one has come.
	SortBy string
}

// A UsageError reports an option with an invalid value, or options that exclude
// each other.
type UsageError struct{ Msg string }

// Error returns the message, which begins with the option.
func (e *UsageError) Error() string { return e.Msg }

func usage(format string, args ...any) error {
	return &UsageError{fmt.Sprintf(format, args...)}
}

// Validate checks the options. The error is a [*UsageError]. It opens no file
// and parses no template; New does that.
func (o Options) Validate() error {
	name, _ := o.format()
	if name != "" && !isFormat(name) {
		return usage("unable to match a printer suitable for the output format %q, allowed formats are: %s", o.Format, strings.Join(formatNames(), ","))
	}
	if len(o.Indent) > 1 || o.Indent != "" && !strings.Contains("0123456789", o.Indent) {
		return usage("--indent %s: not a number from 0 to 9", o.Indent)
	}
	if name == "" {
		return nil
	}
	if flag := o.streamFlag(); flag != "" {
		return usage("%s is for jq's output: it does not go with -o %s", flag, name)
	}
	if flag := o.layoutFlag(); flag != "" && name != "json" {
		return usage("%s is for JSON: it does not go with -o %s", flag, name)
	}
	return nil
}

// streams reports whether a flag requires jq's output.
func (o Options) streams() bool {
	return o.Format == "" && (o.streamFlag() != "" || o.layoutFlag() != "")
}

func (o Options) streamFlag() string {
	return firstSet([]flagSet{{"--raw-output0", o.Raw0}, {"--join-output", o.Join}, {"--raw-output", o.Raw}, {"--seq", o.Seq}})
}

func (o Options) layoutFlag() string {
	return firstSet([]flagSet{{"--compact-output", o.Compact}, {"--tab", o.Tab}, {"--indent", o.Indent != ""}, {"--ascii-output", o.ASCII}})
}

type flagSet struct {
	name string
	set  bool
}

func firstSet(flags []flagSet) string {
	for _, f := range flags {
		if f.set {
			return f.name
		}
	}
	return ""
}

func (o Options) context() context.Context {
	if o.Context == nil {
		return context.Background()
	}
	return o.Context
}

// palette returns the colours of JSON that the options ask for; nil means none.
func (o Options) palette() *encode.Palette {
	if !o.Color {
		return nil
	}
	p, ok := encode.NewPalette(o.Colors)
	if !ok && o.Note != nil {
		o.Note("Failed to set $JQ_COLORS")
	}
	return &p
}

// columns returns the headers of the table of a kind; nil means the kind's own
// columns.
func (o Options) columns(kind string) []string {
	if headers, ok := o.Columns[kind]; ok {
		return headers
	}
	return o.Columns[""]
}
