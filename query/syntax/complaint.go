package syntax

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// unexpected ends the parsing with an error about the next token. want describes the
// tokens that would have been valid; it may be empty.
func (p *parser) unexpected(want string) {
	t := p.tok
	switch {
	case t.kind == tokEnd && t.val == "":
		p.failAt(Span{p.prev, p.prev}, "unexpected end of %s%s", p.whole(), expected(want))
	case t.kind == tokBadNumber:
		p.failAt(t.Span, "malformed number %s%s", shown(t.val), p.numberHint())
	case t.kind == tokBadEscape:
		p.failAt(t.Span, "invalid escape sequence %s in string literal", shown(t.val))
	case t.kind == tokOpenString:
		p.failAt(t.Span, "unterminated string literal")
	}
	if at, hint := p.habit(); hint != "" {
		p.failAt(at, "unexpected token %s, %s", shown(p.src[at.Start:at.End]), hint)
	}
	p.failAt(t.Span, "unexpected %s%s", p.naming(t), expected(want))
}

func expected(want string) string {
	if want == "" {
		return ""
	}
	return ", expected " + want
}

// whole returns the word for the source in error messages: "query" or "file".
func (p *parser) whole() string {
	if p.file == "" {
		return "query"
	}
	return "file"
}

// naming returns a description of a token for an error message.
func (p *parser) naming(t token) string {
	text := p.src[t.Start:t.End]
	switch {
	case t.kind == tokStringStart:
		return "interpolated string"
	case t.kind == tokString && strings.HasPrefix(text, `"`):
		return "string " + shown(text[1:len(text)-1])
	}
	return "token " + shown(text)
}

// shown quotes a part of the source on one line, for an error message. It shortens a long
// part.
func shown(s string) string {
	const most = 40
	short := s
	if utf8.RuneCountInString(s) > most {
		short = string([]rune(s)[:most]) + "…"
	}
	if strings.ContainsFunc(short, func(r rune) bool { return !unicode.IsGraphic(r) || r == utf8.RuneError }) || strings.TrimSpace(short) == "" {
		return strconv.QuoteToASCII(short)
	}
	return `"` + short + `"`
}

// habit recognizes syntax of other languages, such as &&, at the next token. It returns
// the position of that syntax, and a hint with the equivalent in jq.
func (p *parser) habit() (at Span, hint string) {
	t := p.tok
	at = t.Span
	switch {
	case p.is('&'):
		if p.follows("&") {
			at.End++
		}
		return at, `jq writes "and"`
	case p.isOp(OpPipe) && p.touches(OpPipe):
		return Span{p.last.Start, t.End}, `jq writes "or"`
	case p.isOp(OpAssign) && (p.touches(OpEq) || p.touches(OpNe)):
		return Span{p.last.Start, t.End}, fmt.Sprintf("jq writes %q", p.last.val)
	case p.is('!'):
		return at, `jq writes "not" behind what it negates: .x | not`
	case p.is('\''):
		if n := strings.IndexAny(p.src[t.End:], "'\n"); n >= 0 && p.src[t.End+n] == '\'' {
			at.End += n + 1
		}
		return at, "strings are written with double quotes"
	case strings.ContainsAny(t.val, "“”„‘’`"):
		return at, "strings are written with double quotes"
	case t.kind == tokChar && t.ch == 0 && strings.ContainsFunc(t.val, invisible):
		return at, "an invisible character"
	case p.is('$'):
		return at, "a variable is written $name"
	case p.is('@'):
		return at, "a format is written @name"
	case p.isWord("import") || p.isWord("include") || p.isWord("module"):
		return at, "it stands at the head of a program"
	}
	return at, ""
}

func invisible(r rune) bool { return unicode.In(r, unicode.Zs, unicode.Cf, unicode.Zl, unicode.Zp) }

// follows reports whether the text s directly follows the next token, without a space.
func (p *parser) follows(s string) bool { return strings.HasPrefix(p.src[p.tok.End:], s) }

// touches reports whether the previous token is the operator op, and no space separates
// it from the next token.
func (p *parser) touches(op Operator) bool { return p.last.op == op && p.last.End == p.tok.Start }

// numberHint returns a hint for a method call on a number, such as 1.f(). The lexer reads
// that dot as a decimal point.
func (p *parser) numberHint() string {
	number, _, ok := strings.Cut(p.tok.val, ".")
	if !ok || number == "" || !isNameStart(p.tok.val[len(p.tok.val)-1]) {
		return ""
	}
	end := p.tok.End
	for isNamePart(p.at(end)) {
		end++
	}
	return fmt.Sprintf(", a method of a number is written (%s).%s", number, p.src[p.tok.Start+len(number)+1:end])
}

// misplaced ends the parsing with an error about a token that can't follow a complete
// query. The parser expected an operator, or the token that want describes.
func (p *parser) misplaced(want string) {
	t := p.tok
	hint := ""
	switch {
	case p.is('(') && (p.last.kind == tokVariable || p.last.kind == tokModuleVariable):
		hint = "a variable cannot be called"
	case p.is('('):
		hint = "a call is written name(…) or .name(…)"
	case t.kind == tokName && p.last.kind == tokRecurse && p.last.End == t.Start:
		hint = "a field or a method behind .. is written ..." + t.val
	case p.isWord("as"):
		hint = "a binding is written in parentheses here"
	case t.beginsTerm():
		hint = "an operator is missing before it"
	case want == "":
		hint = p.unopened()
	}
	if hint == "" {
		p.unexpected(want)
	}
	p.failAt(t.Span, "unexpected %s, %s", p.naming(t), hint)
}

// unopened returns a hint for a closing bracket or keyword that has no opening one.
func (p *parser) unopened() string {
	switch {
	case p.is(')'):
		return `no "(" is open`
	case p.is(']'):
		return `no "[" is open`
	case p.is('}'):
		return `no "{" is open`
	case p.isWord("then") || p.isWord("elif") || p.isWord("else") || p.isWord("end"):
		return `no "if" is open`
	case p.isWord("catch"):
		return `no "try" stands before it`
	}
	return ""
}

// ends reports whether the next token is a closing bracket or keyword, or the end of the
// source.
func (p *parser) ends() bool {
	switch {
	case p.tok.kind == tokEnd, p.is(')'), p.is(']'), p.is('}'), p.is(';'):
		return true
	}
	return p.isWord("then") || p.isWord("elif") || p.isWord("else") || p.isWord("end")
}

// unclosed ends the parsing with an error about an opening token that is not closed. want
// is the closing token that the parser expected.
func (p *parser) unclosed(open token, want string) {
	if !p.ends() {
		p.misplaced(want)
	}
	p.unfinished(open, "is not closed")
}

// endless ends the parsing with an error about an "if" without an "end".
func (p *parser) endless(open token, elseIf bool) {
	if !p.ends() {
		p.misplaced(`"end"`)
	}
	what := `has no "end"`
	if elseIf {
		what += ` ("else if" is written elif)`
	}
	p.unfinished(open, what)
}

// memberless ends the parsing with an error about a token that can't follow a member in
// an object construction. Only "," or "}" can. open is the opening brace of the object.
func (p *parser) memberless(open token) {
	switch {
	case p.tok.kind == tokField || p.is('['):
		p.failAt(p.tok.Span, "unexpected %s, a member is written key: value", p.naming(p.tok))
	case p.isWord("as"):
		p.misplaced("")
	}
	p.unlisted(open, `"," or "}"`)
}

// unlisted ends the parsing with an error about a token that can't follow an item of a
// list, if the items aren't queries. open is the opening bracket of the list. want
// describes the tokens that can follow.
func (p *parser) unlisted(open token, want string) {
	if p.ends() {
		p.unfinished(open, "is not closed")
	}
	p.unexpected(want)
}

func (p *parser) unfinished(open token, what string) {
	line, col := lineCol(p.src, open.Start)
	note := fmt.Sprintf(", the %s of %d:%d %s", shown(p.src[open.Start:open.End]), line, col, what)
	if p.tok.kind == tokEnd && p.tok.val == "" {
		p.failAt(Span{p.prev, p.prev}, "unexpected end of %s%s", p.whole(), note)
	}
	p.failAt(p.tok.Span, "unexpected %s%s", p.naming(p.tok), note)
}
