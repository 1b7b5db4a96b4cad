package decode

import (
	"encoding/json"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// These constants are the memory that values take, in bytes. They are estimates,
// accurate enough for a memory budget.
const (
	costInt    = 8
	costString = 16 // size of the string header; the bytes of the string are counted in addition
	costSlice  = 24 // size of the slice header; each element takes costAny in addition
	costAny    = 16
	costValue  = 112
	costTwin   = 48 // one entry in a table of shared values
)

func textCost(n int) int64 { return costString + int64(n) }

func arrayCost(n int) int64 { return costSlice + costAny*int64(n) }

// ObjectCost estimates the bytes of memory that an object with this number of
// members takes, without the values of the members. It is meant for a memory budget.
func ObjectCost(members int) int64 { return object.Size(members) }

// numbersCost sums the estimates for the numbers in vals.
func numbersCost(vals []any) (cost int64) {
	for _, v := range vals {
		switch x := v.(type) {
		case int:
			cost += costInt
		case json.Number:
			cost += textCost(len(x))
		}
	}
	return cost
}
