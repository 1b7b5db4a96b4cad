// Package options splits and checks a command line: the flags of kubectl and jq,
// jq's two-word options, and the arguments that the header of a query declares.
//
// It opens no files and runs no queries. Read [Flags] first, then [Split]. The
// package defines kubectl's connection flags itself, because
// genericclioptions.ConfigFlags would link the types and the discovery of all
// Kubernetes APIs into the program, which makes every start slower.
package options
