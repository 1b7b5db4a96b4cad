// Package options takes a command line apart and holds it against itself: the
// flags of kubectl and jq, jq's options of two words, and the arguments that
// the header of a query declares.
//
// It opens nothing and runs nothing. Read [Flags] first, then [Split].
// kubectl's connection flags are written by hand: genericclioptions.ConfigFlags
// would link all of Kubernetes' types and its discovery into every start.
package options
