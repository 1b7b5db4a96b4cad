// Package help generates the texts for users of the plugin: the help pages, the
// manual in docs/ and the man pages. All of them come from the same tables.
//
// The package has no list of flags. It reads the flags from the commands that are
// passed to it. Read pages.go first.
package help
