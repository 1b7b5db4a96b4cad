// Package shards splits a query over many proxies into two queries: one that is
// evaluated for each proxy, wherever the proxy can be read, and one that makes the
// results of the whole query from theirs. Both together print what the query
// prints in one process.
//
// The package knows the form of queries. It runs none, and knows neither proxies
// nor how results travel. No command uses it yet. Read [Split] first. It is
// written by hand because the forms are those of this query language.
package shards
