package syntax

// Operator is an operator between two queries.
type Operator int

// The operators, in gojq's order.
const (
	OpPipe Operator = iota + 1
	OpComma
	OpAdd
	OpSub
	OpMul
	OpDiv
	OpMod
	OpEq
	OpNe
	OpGt
	OpLt
	OpGe
	OpLe
	OpAnd
	OpOr
	OpAlt
	OpAssign
	OpModify
	OpUpdateAdd
	OpUpdateSub
	OpUpdateMul
	OpUpdateDiv
	OpUpdateMod
	OpUpdateAlt
)

var operators = [...]string{
	OpPipe: "|", OpComma: ",", OpAdd: "+", OpSub: "-", OpMul: "*", OpDiv: "/", OpMod: "%",
	OpEq: "==", OpNe: "!=", OpGt: ">", OpLt: "<", OpGe: ">=", OpLe: "<=", OpAnd: "and", OpOr: "or", OpAlt: "//",
	OpAssign: "=", OpModify: "|=", OpUpdateAdd: "+=", OpUpdateSub: "-=", OpUpdateMul: "*=", OpUpdateDiv: "/=",
	OpUpdateMod: "%=", OpUpdateAlt: "//=",
}

// String gives the operator as it is written.
func (op Operator) String() string { return operators[op] }
