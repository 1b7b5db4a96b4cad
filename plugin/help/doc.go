// Package help writes what users read about the plugin: the pages of help, the
// manual in docs/ and the man pages, all of them out of the same tables.
//
// It knows no flags but those of the commands it is given. Read pages.go first.
package help
