package syntax

// Span is a range of byte offsets in the source: [Start, End).
type Span struct{ Start, End int }

// Query is one expression with the definitions before it. A query has one of three forms.
// If Term is set, the query is a single term. If Op is set, the query consists of the
// operator Op between Left and Right; with [OpPipe], Patterns may also be set, for the
// expression Left as Patterns | Right. If only FuncDefs, Meta and Imports are set, it is
// a module.
type Query struct {
	Span
	Meta     *ConstObject
	Imports  []*Import
	FuncDefs []*FuncDef
	Term     *Term
	Left     *Query
	Right    *Query
	Patterns []*Pattern
	Op       Operator
	OpSpan   Span // position of the operator; for a method call, position of its dot
}

// Import is an import or include statement at the start of a program.
type Import struct {
	Span
	ImportPath  string
	ImportAlias string // the name after "as": "name", or "$name" for a data file
	IncludePath string
	Meta        *ConstObject
}

// FuncDef is a function definition, such as def name(args): body. An argument whose name
// begins with $ is passed as a value; any other is passed as a query.
type FuncDef struct {
	Span
	Name string
	Args []string
	Body *Query
}

// TermType determines which field of a [Term] is set.
type TermType int

// The types of terms.
const (
	TermIdentity TermType = iota + 1
	TermRecurse
	TermNull
	TermTrue
	TermFalse
	TermIndex
	TermFunc // a function call; or a variable, whose name begins with $
	TermObject
	TermArray
	TermNumber
	TermUnary
	TermFormat
	TermString
	TermIf
	TermTry
	TermReduce
	TermForeach
	TermLabel
	TermBreak
	TermQuery // a query in parentheses, or a method call: X.f(a) is (X | f(a))
)

// Term is a term of an expression, together with its suffixes.
type Term struct {
	Span
	Type       TermType
	Index      *Index
	Func       *Func
	Object     *Object
	Array      *Array
	Number     string
	Unary      *Unary
	Format     string
	Str        *String
	If         *If
	Try        *Try
	Reduce     *Reduce
	Foreach    *Foreach
	Label      *Label
	Break      string
	Query      *Query
	SuffixList []*Suffix
}

// Unary is a term with a sign, such as -.x.
type Unary struct {
	Op   Operator
	Term *Term
}

// Pattern is what follows "as" in a query: a variable, or an array or object that
// destructures the value.
type Pattern struct {
	Span
	Name   string
	Array  []*Pattern
	Object []*PatternObject
}

// PatternObject is one member of an object pattern, such as $name or key: $x.
type PatternObject struct {
	Span
	Key       string // name of the member; "$name" also sets this variable to the member
	KeyString *String
	KeyQuery  *Query
	Val       *Pattern
}

// Index is an index suffix: .name, ."str", [start] or [start:end].
type Index struct {
	Span
	Name    string
	Str     *String
	Start   *Query
	End     *Query
	IsSlice bool
}

// Func is a function call, or the use of a variable.
type Func struct {
	Span          // position of the name, without the arguments
	Name   string // name of the function or variable: "f", "module::f", "$x" or "$module::x"
	Args   []*Query
	Method bool // whether the call is written as X.f(…)
}

// String is a string literal. If Queries is nil, Str is the value of the literal.
// Otherwise the literal has interpolations, and Queries contains its texts and
// interpolations in order.
type String struct {
	Span
	Str     string
	Queries []*Query
}

// Object is an object construction, such as {name: .x}.
type Object struct{ KeyVals []*ObjectKeyVal }

// ObjectKeyVal is one member of an object construction. Val may be nil, as in {name}.
type ObjectKeyVal struct {
	Span
	Key       string
	KeyString *String
	KeyQuery  *Query
	Val       *Query
}

// Array is an array construction. In the empty array [], Query is nil.
type Array struct{ Query *Query }

// Suffix is a suffix of a term: an index, the iteration [] or the operator ?.
type Suffix struct {
	Span
	Index    *Index
	Iter     bool
	Optional bool
}

// If is the expression: if condition then … else … end.
type If struct {
	Cond *Query
	Then *Query
	Elif []*IfElif
	Else *Query // expression after else; nil if there is none, so that the result is the input
}

// IfElif is one elif part of an if expression.
type IfElif struct {
	Cond *Query
	Then *Query
}

// Try is the expression: try body catch handler.
type Try struct {
	Body  *Query
	Catch *Query // expression after catch; nil if there is none, so that errors are dropped
}

// Reduce is the expression: reduce query as patterns (start; update).
type Reduce struct {
	Query    *Query
	Patterns []*Pattern
	Start    *Query
	Update   *Query
}

// Foreach is the expression: foreach query as patterns (start; update; extract).
type Foreach struct {
	Query    *Query
	Patterns []*Pattern
	Start    *Query
	Update   *Query
	Extract  *Query // third expression of a foreach; nil if there are only two
}

// Label is the expression: label $ident | body.
type Label struct {
	Ident string
	Body  *Query
}

// ConstTerm is a constant in the metadata of a module or an import.
type ConstTerm struct {
	Object *ConstObject
	Array  *ConstArray
	Number string
	Str    string
	Null   bool
	True   bool
	False  bool
}

// ConstObject is an object that contains only constants.
type ConstObject struct{ KeyVals []*ConstObjectKeyVal }

// ConstObjectKeyVal is one member of an object that contains only constants.
type ConstObjectKeyVal struct {
	Key       string
	KeyString string
	Val       *ConstTerm
}

// ConstArray is an array that contains only constants.
type ConstArray struct{ Elems []*ConstTerm }
