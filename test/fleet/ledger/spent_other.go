//go:build !unix

package ledger

// Mine returns zeros, because measuring is not supported on this platform.
func Mine() Spent { return Spent{} }

// Of returns zeros, because measuring is not supported on this platform.
func Of(any) Spent { return Spent{} }
