// Package graphcmd is the command graph. It runs the query that reads the facts
// of a graph, and prints the graph as a tree, as Mermaid, as DOT or as JSON.
//
// Package query/graph builds and draws the graph. Read command.go first.
package graphcmd
