package syntax

// tokenKind is the kind of a token.
type tokenKind int

const (
	tokEnd      tokenKind = iota // the end of the source
	tokChar                      // a bracket, or any other single character
	tokOperator                  // an operator that is not a word
	tokKeyword                   // a reserved word; "and" and "or" are also operators
	tokName                      // name
	tokModuleName
	tokVariable // $name
	tokModuleVariable
	tokField   // .name
	tokRecurse // ..
	tokFormat  // @name
	tokNumber

	tokString      // a whole literal, or one part of an interpolated string
	tokStringStart // the quote that opens an interpolated string
	tokStringQuery // \(
	tokStringEnd   // the quote that closes an interpolated string

	tokBadNumber
	tokBadEscape
	tokOpenString // a string without a closing quote
)

// token is one token of the source.
type token struct {
	Span
	kind tokenKind
	ch   byte     // set for a tokChar in ASCII
	op   Operator // set for a tokOperator, "and" and "or"
	val  string   // a field without its dot, a string decoded, any other token as written
}

// isKeyword reports whether a word is reserved. A reserved word can be a field
// or a key, but not the name of a function.
func isKeyword(s string) bool {
	switch s {
	case "or", "and", "module", "import", "include", "def", "as", "label", "break", "null", "true", "false",
		"if", "then", "elif", "else", "end", "try", "catch", "reduce", "foreach":
		return true
	}
	return false
}

// beginsTerm reports whether a token can only occur at the start of a term.
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

// String returns the operator as it is written.
func (op Operator) String() string { return operators[op] }
