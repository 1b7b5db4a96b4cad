// Package partition writes a recorded mesh as files that SQL engines read: one
// file of newline-delimited JSON per section, in folders named as Hive names its
// partitions.
//
//	DIR/cluster=<Istio's cluster ID>/date=<UTC date>/hour=<UTC hour>/
//	    proxies.ndjson.gz    one row per proxy, without its sections
//	    clusters.ndjson.gz   one row per cluster of a proxy; likewise each other section that is an array
//	    reads.ndjson.gz      one row per section of a proxy: whether it was read, and how many elements it has
//	    mesh.tar.zst         the snapshot that the rows were made from
//
// The rows are made from the snapshot and not from the running mesh, so that they
// contain nothing that redaction removes, and each Envoy is read once. The folder
// of an hour appears complete or not at all.
//
// The package knows the document, and neither the command line nor any SQL
// engine. Read [Folder] first. The names of the folders are Hive's; DuckDB and
// ClickHouse read them. They are written here because that is a few lines: an
// escape and a rename.
package partition
