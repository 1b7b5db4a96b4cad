package syntax

// tokenKind is the kind of a token.
type tokenKind int

const (
	tokEnd      tokenKind = iota // the end of the source
	tokChar                      // a bracket, or any other single character
	tokOperator                  // an operator that consists of symbols
	tokKeyword                   // a reserved word, such as "and", which is also an operator
	tokName                      // the name of a function, as in f or m::f
	tokModuleName
	tokVariable // a variable, as in $name
	tokModuleVariable
	tokField   // a field, as in .name
	tokRecurse // ..
	tokFormat  // @name
	tokNumber

	tokString      // a whole string literal, or one part of a string with interpolations
	tokStringStart // the quote that opens a string with interpolations
	tokStringQuery // the start of an interpolation, \(
	tokStringEnd   // the quote that closes a string with interpolations

	tokBadNumber
	tokBadEscape
	tokOpenString // a string without a closing quote
)

// token is one token of the source.
type token struct {
	Span
	kind tokenKind
	ch   byte     // the character, for a tokChar in ASCII
	op   Operator // the operator, for a tokOperator and for "and" and "or"
	val  string   // the name of a field, the decoded text of a string, or else the source text
}

// isKeyword reports whether a word is reserved. A reserved word may be a field or
// a key of an object, but not a function.
func isKeyword(s string) bool {
	switch s {
	case "or", "and", "module", "import", "include", "def", "as", "label", "break", "null", "true", "false",
		"if", "then", "elif", "else", "end", "try", "catch", "reduce", "foreach":
		return true
	}
	return false
}

// beginsTerm reports whether a token occurs only at the start of a term.
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

// String returns the operator as in the source.
func (op Operator) String() string { return operators[op] }
