package syntax

// Span is a range of bytes of the source: [Start, End).
type Span struct{ Start, End int }

// Query is one expression, with the definitions before it. A query has one of
// three forms: Term is set; or Op, Left and Right are set (and under [OpPipe]
// possibly Patterns: Left as Patterns | Right); or only FuncDefs, Meta and
// Imports are set, in which case it is a module.
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
	OpSpan   Span // the operator itself; for a method call, its dot
}

// Import is an import or an include at the start of a program.
type Import struct {
	Span
	ImportPath  string
	ImportAlias string // "name", or "$name" for a data file
	IncludePath string
	Meta        *ConstObject
}

// FuncDef is a function definition: def name(args): body;. An argument that
// starts with $ is passed as a value.
type FuncDef struct {
	Span
	Name string
	Args []string
	Body *Query
}

// TermType says which field of a [Term] is set.
type TermType int

// The types of terms.
const (
	TermIdentity TermType = iota + 1
	TermRecurse
	TermNull
	TermTrue
	TermFalse
	TermIndex
	TermFunc // a function call, or a variable, whose name starts with $
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

// Term is a primary expression with its suffixes.
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

// Unary is a term with a sign.
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
	Key       string // "$name" also binds the member to the variable
	KeyString *String
	KeyQuery  *Query
	Val       *Pattern
}

// Index is an index: .name, ."str", [start] or [start:end].
type Index struct {
	Span
	Name    string
	Str     *String
	Start   *Query
	End     *Query
	IsSlice bool
}

// Func is a function call or a variable.
type Func struct {
	Span          // covers the name only
	Name   string // "f", "module::f", "$x" or "$module::x"
	Args   []*Query
	Method bool // the call is written X.f(…)
}

// String is a string literal. If Queries is nil, Str is its value; otherwise
// Queries holds the parts of an interpolated string.
type String struct {
	Span
	Str     string
	Queries []*Query
}

// Object is an object construction.
type Object struct{ KeyVals []*ObjectKeyVal }

// ObjectKeyVal is one member of an object construction. Val may be nil.
type ObjectKeyVal struct {
	Span
	Key       string
	KeyString *String
	KeyQuery  *Query
	Val       *Query
}

// Array is an array construction; Query is nil in [].
type Array struct{ Query *Query }

// Suffix is a suffix of a term: an index, [] or ?.
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
	Else *Query // nil means that the input is returned
}

// IfElif is one elif of a conditional.
type IfElif struct {
	Cond *Query
	Then *Query
}

// Try is the expression try body catch handler.
type Try struct {
	Body  *Query
	Catch *Query // nil means that errors are dropped
}

// Reduce is the expression reduce query as patterns (start; update).
type Reduce struct {
	Query    *Query
	Patterns []*Pattern
	Start    *Query
	Update   *Query
}

// Foreach is the expression foreach query as patterns (start; update; extract).
type Foreach struct {
	Query    *Query
	Patterns []*Pattern
	Start    *Query
	Update   *Query
	Extract  *Query // may be nil
}

// Label is the expression label $ident | body.
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
