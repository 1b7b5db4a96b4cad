// Package help writes the texts for users of the plugin: the pages of help, the
// manual in docs/ and the man pages. All of them are generated from the same tables.
//
// The package has no list of flags: it reads them from the commands that are passed
// to it. Read pages.go first.
package help
