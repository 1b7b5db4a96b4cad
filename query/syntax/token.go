package syntax

// tokenKind tells the tokens apart.
type tokenKind int

const (
	tokEnd      tokenKind = iota // the end of the source
	tokChar                      // a bracket, or a character that means nothing by itself
	tokOperator                  // an operator that is no word
	tokKeyword                   // a reserved word; "and" and "or" are operators too
	tokName                      // name
	tokModuleName
	tokVariable // $name
	tokModuleVariable
	tokField   // .name
	tokRecurse // ..
	tokFormat  // @name
	tokNumber

	tokString      // a whole literal, or one piece of an interpolated one
	tokStringStart // the quote that opens an interpolated string
	tokStringQuery // \(
	tokStringEnd   // the quote that closes an interpolated string

	tokBadNumber
	tokBadEscape
	tokOpenString // a string that no quote ends
)

// token is one word of the source.
type token struct {
	Span
	kind tokenKind
	ch   byte     // of a tokChar in ASCII
	op   Operator // of a tokOperator, "and" and "or"
	val  string   // a name without its dot, a string decoded, anything else as written
}

// isKeyword tells whether a word is reserved: it is no function's name, but
// may be a field's or a key's.
func isKeyword(s string) bool {
	switch s {
	case "or", "and", "module", "import", "include", "def", "as", "label", "break", "null", "true", "false",
		"if", "then", "elif", "else", "end", "try", "catch", "reduce", "foreach":
		return true
	}
	return false
}

// beginsTerm tells whether a token can only be the first one of a term.
func (t token) beginsTerm() bool {
	switch t.kind {
	case tokName, tokModuleName, tokVariable, tokModuleVariable, tokNumber, tokFormat, tokString, tokStringStart, tokRecurse:
		return true
	case tokChar:
		return t.ch == '{' || t.ch == '('
	case tokKeyword:
		switch t.val {
		case "null", "true", "false", "if", "try", "reduce", "foreach", "break", "def", "label":
			return true
		}
	}
	return false
}

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
