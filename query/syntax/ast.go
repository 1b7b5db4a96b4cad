package syntax

// Span is a range of bytes of the source: [Start, End).
type Span struct{ Start, End int }

// Query is one expression with the definitions in front of it. Exactly one of
// these holds: Term is set; or Op, Left and Right are (with Patterns only under
// [OpPipe]: Left as Patterns | Right); or nothing but FuncDefs, Meta and
// Imports is (a module).
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
	OpSpan   Span // where the operator itself stands; the dot of a method call
}

// Import is an import or an include at the head of a program.
type Import struct {
	Span
	ImportPath  string
	ImportAlias string // "name", or "$name" for data
	IncludePath string
	Meta        *ConstObject
}

// FuncDef is def name(args): body;. An argument that begins with $ is a value.
type FuncDef struct {
	Span
	Name string
	Args []string
	Body *Query
}

// TermType tells which field of a [Term] is set.
type TermType int

// The kinds of terms.
const (
	TermIdentity TermType = iota + 1
	TermRecurse
	TermNull
	TermTrue
	TermFalse
	TermIndex
	TermFunc // a call, or a variable: its name begins with $
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
	TermQuery // in parentheses, or a method call: X.f(a) is (X | f(a))
)

// Term is a primary expression and the suffixes behind it.
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

// Unary is a sign in front of a term.
type Unary struct {
	Op   Operator
	Term *Term
}

// Pattern destructures a value: a variable, an array or an object.
type Pattern struct {
	Span
	Name   string
	Array  []*Pattern
	Object []*PatternObject
}

// PatternObject is one member of an object pattern.
type PatternObject struct {
	Span
	Key       string // "$name" binds the member of that name
	KeyString *String
	KeyQuery  *Query
	Val       *Pattern
}

// Index is .name, ."str", [start], or [start:end].
type Index struct {
	Span
	Name    string
	Str     *String
	Start   *Query
	End     *Query
	IsSlice bool
}

// Func is a call of a function, or a variable.
type Func struct {
	Span          // of the name
	Name   string // "f", "module::f", "$x" or "$module::x"
	Args   []*Query
	Method bool // written as X.f(…)
}

// String is a string literal: Str, or when Queries is not nil the parts of an
// interpolated one.
type String struct {
	Span
	Str     string
	Queries []*Query
}

// Object is an object construction.
type Object struct{ KeyVals []*ObjectKeyVal }

// ObjectKeyVal is one member of an object construction; Val may be missing.
type ObjectKeyVal struct {
	Span
	Key       string
	KeyString *String
	KeyQuery  *Query
	Val       *Query
}

// Array is an array construction; Query is nil in [].
type Array struct{ Query *Query }

// Suffix is what stands behind a term: an index, [] or ?.
type Suffix struct {
	Span
	Index    *Index
	Iter     bool
	Optional bool
}

// If is a conditional.
type If struct {
	Cond *Query
	Then *Query
	Elif []*IfElif
	Else *Query // nil: the input
}

// IfElif is one elif of a conditional.
type IfElif struct {
	Cond *Query
	Then *Query
}

// Try is try body catch handler.
type Try struct {
	Body  *Query
	Catch *Query // nil: errors give nothing
}

// Reduce is reduce query as patterns (start; update).
type Reduce struct {
	Query    *Query
	Patterns []*Pattern
	Start    *Query
	Update   *Query
}

// Foreach is foreach query as patterns (start; update; extract).
type Foreach struct {
	Query    *Query
	Patterns []*Pattern
	Start    *Query
	Update   *Query
	Extract  *Query // may be nil
}

// Label is label $ident | body.
type Label struct {
	Ident string
	Body  *Query
}

// ConstTerm is a constant in a module's metadata.
type ConstTerm struct {
	Object *ConstObject
	Array  *ConstArray
	Number string
	Str    string
	Null   bool
	True   bool
	False  bool
}

// ConstObject is a constant object.
type ConstObject struct{ KeyVals []*ConstObjectKeyVal }

// ConstObjectKeyVal is a member of a constant object.
type ConstObjectKeyVal struct {
	Key       string
	KeyString string
	Val       *ConstTerm
}

// ConstArray is a constant array.
type ConstArray struct{ Elems []*ConstTerm }
