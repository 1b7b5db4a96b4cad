// Package shipped contains the queries that come with the plugin, each as a .jq
// file. It also parses the header of such a file, including files that users
// write: the name, the summary, arguments and columns. It knows what a query
// declares in its header, and how several checks are combined into one query.
// It doesn't parse or run the queries, and it reads only the files that are
// embedded in the binary.
package shipped
