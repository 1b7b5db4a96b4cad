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

// All returns the queries that come with the plugin, by name. The checks come
// last.
func All() []Query {
	checks := Checks()
	return slices.Concat(folder("*.jq"), []Query{Together(checks)}, checks)
}

// Checks returns the queries that look for faults, the worst severity first.
func Checks() []Query {
	checks := folder("check/*.jq")
	slices.SortStableFunc(checks, func(a, b Query) int { return rank(a.Severity) - rank(b.Severity) })
	return checks
}

func rank(severity string) int { return slices.Index(Severities(), severity) }

// Find returns the query with the given name or alias.
func Find(name string, among []Query) (Query, bool) {
	for _, q := range among {
		if q.Name == name || slices.Contains(q.Aliases, name) {
			return q, true
		}
	}
	return Query{}, false
}

// folder reads the embedded files that match a pattern. A test checks that
// their headers have no errors.
func folder(pattern string) (out []Query) {
	names, _ := fs.Glob(files, pattern)
	for _, name := range names {
		text, _ := files.ReadFile(name)
		q, _ := Read(strings.TrimSuffix(path.Base(name), ".jq"), string(text))
		out = append(out, q)
	}
	return out
}
