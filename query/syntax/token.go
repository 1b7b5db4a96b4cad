package syntax

// tokenKind is the kind of a token.
type tokenKind int

const (
	tokEnd      tokenKind = iota // end of the source
	tokChar                      // a bracket, or any other single character
	tokOperator                  // an operator that consists of symbols, such as //=
	tokKeyword                   // a reserved word, such as "if"; some, such as "and", are also operators
	tokName                      // name of a function, such as f or m::f
	tokModuleName
	tokVariable // a variable, such as $name
	tokModuleVariable
	tokField   // a field, such as .name
	tokRecurse // ..
	tokFormat  // @name
	tokNumber

	tokString      // a whole string literal, or one text in a string with interpolations
	tokStringStart // the opening quote of a string with interpolations
	tokStringQuery // the start of an interpolation, \(
	tokStringEnd   // the closing quote of a string with interpolations

	tokBadNumber
	tokBadEscape
	tokOpenString // a string without a closing quote
)

// token is one token of the source.
type token struct {
	Span
	kind tokenKind
	ch   byte     // the character, if kind is tokChar and it is ASCII
	op   Operator // the operator, if kind is tokOperator, or for "and" and "or"
	val  string   // name of a field, decoded text of a string, or the source text of any other token
}

// isKeyword reports whether a word is reserved. A reserved word may be the name of a
// field or the key of an object, but not the name of a function.
func isKeyword(s string) bool {
	switch s {
	case "or", "and", "module", "import", "include", "def", "as", "label", "break", "null", "true", "false",
		"if", "then", "elif", "else", "end", "try", "catch", "reduce", "foreach":
		return true
	}
	return false
}

// beginsTerm reports whether a token can only be the first token of a term.
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

// The operators, in the order of gojq's constants.
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

// String returns the operator as it is written in the source.
func (op Operator) String() string { return operators[op] }
