package printers

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/meshq/kubectl-meshq/printers/encode"
)

// Options say how results are printed: what the flags of the command line
// say, and what else a printer needs of the world.
type Options struct {
	Out     io.Writer
	Context context.Context              // what is loaded after Render ends with it; nil: never
	Now     time.Time                    // the document's time, which ages are counted from
	Color   bool                         // red words in tables, jq's colours in JSON
	Colors  string                       // JQ_COLORS, as jq has it; empty: jq's own
	Open    func(string) ([]byte, error) // reads the file of a -file format
	Note    func(string)                 // takes a line for the user that is no result; may be nil

	Format            string // -o: a word of [Formats], with =TEMPLATE where it takes one; empty: tables or jq's stream
	Template          string // --template, in place of what follows the = in Format
	MissingKeysFail   bool   // --allow-missing-template-keys=false
	ShowManagedFields bool   // metadata.managedFields in -o json, yaml and kyaml
	Ageless           bool   // tables say nothing that changes with time alone: how two of them differ is news

	// jq's stream. Any of them keeps tables away; the first six go with -o
	// json too.
	Compact bool   // -c: all on one line
	Tab     bool   // --tab: a tab a level
	Indent  string // --indent: spaces a level, "0" to "9"; empty: two
	ASCII   bool   // -a: nothing but ASCII
	Sorted  bool   // -S: keys are sorted
	Raw     bool   // -r: strings as they are
	Join    bool   // -j: as Raw, and no newline between results
	Raw0    bool   // --raw-output0: as Raw, and NUL in place of the newline
	Seq     bool   // --seq: RS before each result

	// Tables.
	NoHeaders    bool     // --no-headers
	ShowLabels   bool     // --show-labels
	ShowKind     bool     // --show-kind
	LabelColumns []string // -L

	// Columns are the headers of those that a table has, in order, by kind;
	// under "" those of any kind that is not named, of -o table's objects too.
	// One that is only sometimes there stays so. Empty: the kind's own.
	Columns map[string][]string

	// SortBy is --sort-by: a path like .metadata.name or {.metadata.name}.
	// All results are held until the last one came.
	SortBy string
}

// A UsageError says that options can't be, or can't be together.
type UsageError struct{ Msg string }

// Error says what is wrong, the option first.
func (e *UsageError) Error() string { return e.Msg }

func usage(format string, args ...any) error {
	return &UsageError{fmt.Sprintf(format, args...)}
}

// Validate says whether the options can be together; the error is a
// [*UsageError]. It opens no file and parses no template: New does.
func (o Options) Validate() error {
	name, _ := o.format()
	if name != "" && !known(name) {
		return usage("unable to match a printer suitable for the output format %q, allowed formats are: %s", o.Format, strings.Join(names(), ","))
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

// streams says that a flag asks for jq's stream.
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

// columns returns the headers that the table of a kind is to have; nil means
// the kind's own.
func (o Options) columns(kind string) []string {
	if headers, ok := o.Columns[kind]; ok {
		return headers
	}
	return o.Columns[""]
}
