package help

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/meshq/kubectl-meshq/query/library"
	"github.com/meshq/kubectl-meshq/query/shipped"
	"github.com/meshq/kubectl-meshq/sources"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// functionPages returns the manual's page on all functions.
func functionPages() string {
	var b strings.Builder
	b.WriteString("# What a query may call\n\nEvery function is a method too: `X.f(a; b)` is `X | f(a; b)`. All functions of jq are there.\n")
	subject := ""
	for _, f := range library.Functions() {
		if f.Subject != subject {
			subject = f.Subject
			fmt.Fprintf(&b, "\n## %s\n", capital(subject))
		}
		fmt.Fprintf(&b, "\n### `%s`\n\n%s\n", f.Signature, escapedMarkdown(capital(f.Doc)))
		if len(f.Examples) > 0 {
			fmt.Fprintf(&b, "\n```jq\n%s\n```\n", strings.Join(f.Examples, "\n"))
		}
	}
	return b.String()
}

// kindPages returns the manual's page on all kinds of the document and their fields.
func kindPages() string {
	var b strings.Builder
	b.WriteString("# The document\n\nThe mesh is one document; `.` is it. Only what a query touches is read.\n")
	for _, k := range sources.Kinds() {
		fmt.Fprintf(&b, "\n## %s\n\n%s.\n", k.Name, escapedMarkdown(capital(k.Doc)))
		if len(k.Fields) > 0 {
			b.WriteString("\n| field | what it is |\n|---|---|\n")
		}
		for _, f := range k.Fields {
			lazy := ""
			if f.Cost == mesh.OnDemand {
				lazy = " (read when touched)"
			}
			fmt.Fprintf(&b, "| `%s` | %s%s |\n", f.Name, escapedMarkdown(f.Doc), lazy)
		}
		if k.Open {
			b.WriteString("\nAnd what its source gives.\n")
		}
		if k.Message != "" {
			fmt.Fprintf(&b, "\nAnd every field of Envoy's `%s`, in lowerCamelCase.\n", k.Message)
		}
	}
	return b.String()
}

// queryPages returns the manual's page on the queries that come with the plugin.
func queryPages() string {
	var b strings.Builder
	about, _, _ := strings.Cut(QueriesPage, "Those that come with the plugin:")
	b.WriteString("# Queries with names\n\n" + markdown(about) + "\n## Those that come with the plugin\n")
	for _, q := range shipped.All() {
		fmt.Fprintf(&b, "\n### %s\n\n%s\n", q.Name, escapedMarkdown(capital(q.Summary)))
		if q.Doc != "" {
			fmt.Fprintf(&b, "\n%s\n", escapedMarkdown(q.Doc))
		}
		if q.Next != "" {
			fmt.Fprintf(&b, "\nWhat it finds is of severity %s. What to do then: %s.\n", q.Severity, escapedMarkdown(strings.TrimSuffix(q.Next, ".")))
		}
		if len(q.Aliases) > 0 {
			fmt.Fprintf(&b, "\nAlso: `%s`\n", strings.Join(q.Aliases, "`, `"))
		}
		fmt.Fprintf(&b, "\n```text\n%s %s %s\n", manualName, q.Name, Takes(q))
		if len(q.Args) > 0 {
			var args bytes.Buffer
			printArguments(&args, q.Args)
			b.WriteString("\n" + args.String())
		}
		b.WriteString("```\n")
		if len(q.Examples) > 0 {
			fmt.Fprintf(&b, "\n```console\n$ %s %s\n```\n", manualName, strings.Join(q.Examples, "\n$ "+manualName+" "))
		}
	}
	return b.String()
}
