package decode

import (
	"encoding/json"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// What values take in memory, in bytes, near enough for a budget.
const (
	costInt    = 8
	costString = 16 // its header, beside the bytes
	costSlice  = 24 // and 16 an element
	costAny    = 16
	costValue  = 112
	costTwin   = 48 // of a place in a table of twins
)

func textCost(n int) int64 { return costString + int64(n) }

func arrayCost(n int) int64 { return costSlice + costAny*int64(n) }

// ObjectCost estimates the bytes of memory that an object of so many members
// takes beside the members' own, for a budget.
func ObjectCost(members int) int64 { return object.Size(members) }

// numbersCost is that of the numbers among vals.
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
