package ledger

// Spent is what a process has used.
type Spent struct {
	CPU    float64 `json:"cpu"`    // seconds, of its own and in the kernel for it
	Memory int64   `json:"memory"` // the most that was resident, in bytes
}
