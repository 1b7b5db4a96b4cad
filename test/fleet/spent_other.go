//go:build !unix

package fleet

// SpentByMe is not known here.
func SpentByMe() Spent { return Spent{} }

// SpentBy is not known here.
func SpentBy(any) Spent { return Spent{} }
