// Package report is the command report. It reads the whole mesh with one query,
// and writes one page about it: HTML that needs nothing else, or Markdown.
//
// data.go collects the results of the query, page.html and page.go make the
// HTML, picture.go draws the graph as SVG, and markdown.go makes the Markdown.
// The graph is that of package query/graph, and the findings are those of the
// checks. Read data.go first.
package report
