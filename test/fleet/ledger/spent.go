package ledger

// Spent is what a process has used.
type Spent struct {
	CPU    float64 `json:"cpu"`    // seconds, in user mode and in the kernel
	Memory int64   `json:"memory"` // the peak of the resident memory, in bytes
}
