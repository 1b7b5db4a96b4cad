// Package shipped holds the queries that come with the plugin, a .jq file
// each, and reads the header of such a file, whoever wrote it: the name, what
// it gives, arguments, columns. It knows what a query says of itself, and how
// checks are put together. It neither parses nor runs a query, and reads no
// file but those it is built with.
package shipped
