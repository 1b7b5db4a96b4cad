package printers

import (
	"slices"
	"strings"
)

// A Format is a value of the flag -o.
type Format struct {
	Name  string
	Doc   string // what the format prints, in a few words
	Takes string // the argument after the =, such as "TEMPLATE"; empty: the format has none
}

// Formats returns all formats, by name: those of kubectl, and table.
func Formats() []Format {
	return []Format{
		{"custom-columns", "a table of the columns given", "HEADER:PATH,…"},
		{"custom-columns-file", "the same, from a file", "FILE"},
		{"go-template", "a Go template", "TEMPLATE"},
		{"go-template-file", "the same, from a file", "FILE"},
		{"json", "one value, or a List of them", ""},
		{"jsonpath", "a JSONPath template", "TEMPLATE"},
		{"jsonpath-as-json", "the same, results as JSON arrays", "TEMPLATE"},
		{"jsonpath-file", "the same, from a file", "FILE"},
		{"kyaml", "YAML in Kubernetes' strict form", ""},
		{"name", "kind/name, a line each", ""},
		{"ndjson", "one object per line, with its kind and proxy", ""},
		{"table", "a table, of any flat objects too", ""},
		{"template", "as go-template", "TEMPLATE"},
		{"templatefile", "as go-template-file", "FILE"},
		{"wide", "tables with more columns", ""},
		{"yaml", "one value, or a List of them", ""},
	}
}

func formatNames() []string {
	var out []string
	for _, f := range Formats() {
		out = append(out, f.Name)
	}
	return out
}

func isFormat(name string) bool { return slices.Contains(formatNames(), name) }

func takesTemplate(name string) bool {
	return slices.ContainsFunc(Formats(), func(f Format) bool { return f.Name == name && f.Takes != "" })
}

// format splits the value of -o into a name and a template, as kubectl does.
// With --template, all of -o is the name. With --template but without -o, the
// template is a Go template.
func (o Options) format() (name, template string) {
	if o.Template != "" {
		if o.Format == "" {
			return "go-template", o.Template
		}
		return o.Format, o.Template
	}
	if name, template, ok := strings.Cut(o.Format, "="); ok && takesTemplate(name) {
		return name, template
	}
	return o.Format, ""
}

// template returns the format without its aliases, and its template, which is
// read from the file if the format names one. Only custom-columns-file keeps
// its own name: the layout of its file differs from that of custom-columns.
func (o Options) template() (name, template string, err error) {
	name, template = o.format()
	if !takesTemplate(name) {
		return name, "", nil
	}
	if template == "" {
		return "", "", usage("-o %s: no template given", name)
	}
	if strings.HasSuffix(name, "file") {
		if template, err = o.read(template); err != nil {
			return "", "", err
		}
	}
	switch name {
	case "template", "templatefile", "go-template-file":
		name = "go-template"
	case "jsonpath-file":
		name = "jsonpath"
	}
	return name, template, nil
}

func (o Options) read(file string) (string, error) {
	if o.Open == nil {
		return "", usage("%s: no file can be read here", file)
	}
	text, err := o.Open(file)
	return string(text), err
}
