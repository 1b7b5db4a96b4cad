//go:build !unix

package ledger

// Mine returns zeros: this platform is not supported.
func Mine() Spent { return Spent{} }

// Of returns zeros: this platform is not supported.
func Of(any) Spent { return Spent{} }
