package shipped

import (
	"embed"
	"io/fs"
	"path"
	"slices"
	"strings"
)

//go:embed *.jq check/*.jq
var files embed.FS

// All gives the queries that come with the plugin, by name; those that look
// for something wrong stand last.
func All() []Query {
	checks := Checks()
	return slices.Concat(folder("*.jq"), []Query{Together(checks)}, checks)
}

// Checks gives the queries that look for something wrong, the worst first.
func Checks() []Query {
	checks := folder("check/*.jq")
	slices.SortStableFunc(checks, func(a, b Query) int { return rank(a.Severity) - rank(b.Severity) })
	return checks
}

func rank(severity string) int { return slices.Index(Severities(), severity) }

// Find gives the query of that name, or with that alias.
func Find(name string, among []Query) (Query, bool) {
	for _, q := range among {
		if q.Name == name || slices.Contains(q.Aliases, name) {
			return q, true
		}
	}
	return Query{}, false
}

// folder reads the files that fit a pattern. They are part of the binary: that
// each can be read, and has a header without a mistake, is held by a test.
func folder(pattern string) (out []Query) {
	names, _ := fs.Glob(files, pattern)
	for _, name := range names {
		text, _ := files.ReadFile(name)
		q, _ := Read(strings.TrimSuffix(path.Base(name), ".jq"), string(text))
		out = append(out, q)
	}
	return out
}
