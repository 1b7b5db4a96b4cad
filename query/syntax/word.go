package syntax

// WordKind is the kind of a word.
type WordKind int

// The kinds of words.
const (
	WordSign     WordKind = iota // a bracket, an operator, or any other token
	WordName                     // a name, such as name or module::name
	WordKeyword                  // "if", "and", …
	WordVariable                 // a variable, such as $name or $module::name
	WordField                    // a field, such as .name
	WordFormat                   // a format, such as @name
	WordNumber
	WordString      // a whole string, or one text in a string with interpolations
	WordStringStart // the opening quote of a string with interpolations
	WordStringQuery // the start of an interpolation, \(
	WordStringEnd   // the closing quote of a string with interpolations
	WordOpenString  // a string without a closing quote, or the last part of one
)

// A Word is a token of a source that may be incomplete, as during completion.
type Word struct {
	Span
	Kind WordKind
	Text string // the source text; for a string, its text decoded as far as possible
}

// Words splits a source into its tokens, even if the source can't be parsed. It omits
// comments. commented is true if the source ends inside a comment.
func Words(src string) (words []Word, commented bool) {
	l := lexer{src: src}
	// depth is the number of open brackets. within contains, for each open \(, the depth
	// before it.
	depth, within := 0, []int(nil)
	for {
		before := l.pos
		if !l.inString {
			l.skip()
		}
		start := l.pos
		t := l.next()
		w := Word{Span: t.Span, Kind: t.word(), Text: t.val}
		switch {
		case t.kind == tokEnd:
			return words, l.comments(before)
		case t.kind == tokStringQuery:
			within = append(within, depth)
		case t.kind == tokChar && (t.ch == '(' || t.ch == '[' || t.ch == '{'):
			depth++
		case t.kind == tokChar && (t.ch == ')' || t.ch == ']' || t.ch == '}'):
			if n := len(within); t.ch == ')' && n > 0 && within[n-1] == depth {
				within, l.inString = within[:n-1], true
			} else {
				depth--
			}
		case t.kind == tokOpenString || t.kind == tokBadEscape:
			w.Kind, w.Span = WordOpenString, Span{start, len(src)}
			w.Text = unescape(whole(src[start:]))
			return append(words, w), false
		}
		words = append(words, w)
	}
}

// comments reports whether the source ends inside a comment that begins at or after the
// offset from.
func (l *lexer) comments(from int) bool {
	for i := from; i < len(l.src); i++ {
		if l.src[i] == '#' {
			c := lexer{src: l.src, pos: i}
			c.comment()
			if i = c.pos; i >= len(l.src) {
				return true
			}
		}
	}
	return false
}

// whole returns the text of an unfinished string, without its opening quote and without
// an unfinished escape sequence at its end.
func whole(s string) string {
	if s != "" && s[0] == '"' {
		s = s[1:]
	}
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			continue
		}
		n, ok := (&lexer{src: s}).escapeAt(i + 1)
		if !ok {
			return s[:i]
		}
		i += n
	}
	return s
}

func (l *lexer) escapeAt(i int) (n int, ok bool) {
	if i >= len(l.src) {
		return 0, false
	}
	return l.escape(i)
}

func (t token) word() WordKind {
	switch t.kind {
	case tokName, tokModuleName:
		return WordName
	case tokKeyword:
		return WordKeyword
	case tokVariable, tokModuleVariable:
		return WordVariable
	case tokField:
		return WordField
	case tokFormat:
		return WordFormat
	case tokNumber, tokBadNumber:
		return WordNumber
	case tokString:
		return WordString
	case tokStringStart:
		return WordStringStart
	case tokStringQuery:
		return WordStringQuery
	case tokStringEnd:
		return WordStringEnd
	}
	return WordSign
}
