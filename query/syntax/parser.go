package syntax

import (
	"fmt"
	"strconv"
)

// maxNesting is the maximum depth of nested brackets.
const maxNesting = 10_000

// parser is a recursive descent parser with one token of lookahead. At the first error it
// panics with an [*Error], which Parse recovers.
type parser struct {
	lexer
	file    string
	tok     token // the next token
	last    token // the previous token
	prev    int   // offset of the end of the previous token
	nesting int
}

func (p *parser) advance() {
	p.last, p.prev = p.tok, p.tok.End
	p.tok = p.next()
}

// enter must be called when the parser enters a nested level, and leave at the end of the
// level. enter ends the parsing with an error if there are too many levels.
func (p *parser) enter() {
	if p.nesting++; p.nesting > maxNesting {
		p.failAt(p.tok.Span, "nested too deeply, more than %d levels", maxNesting)
	}
}

func (p *parser) leave() { p.nesting-- }

func (p *parser) failAt(s Span, format string, args ...any) {
	panic(&Error{Span: s, File: p.file, Src: p.src, Msg: fmt.Sprintf(format, args...)})
}

func (p *parser) is(c byte) bool            { return p.tok.kind == tokChar && p.tok.ch == c }
func (p *parser) isWord(w string) bool      { return p.tok.kind == tokKeyword && p.tok.val == w }
func (p *parser) isOp(op Operator) bool     { return p.tok.kind == tokOperator && p.tok.op == op }
func (p *parser) isQuote() bool             { return p.tok.kind == tokString || p.tok.kind == tokStringStart }
func (p *parser) from(start int) Span       { return Span{start, p.prev} }
func (p *parser) accept(c byte) bool        { return p.advanceIf(p.is(c)) }
func (p *parser) acceptOp(op Operator) bool { return p.advanceIf(p.isOp(op)) }

func (p *parser) advanceIf(ok bool) bool {
	if ok {
		p.advance()
	}
	return ok
}

// expect reads the character c. Any other token is an error.
func (p *parser) expect(c byte) {
	if !p.accept(c) {
		p.unexpected(strconv.Quote(string(rune(c))))
	}
}

// close reads a closing bracket after a query. c is the closing bracket, and open is the
// opening one, for the error message.
func (p *parser) close(open token, c byte) {
	if !p.accept(c) {
		p.unclosed(open, strconv.Quote(string(rune(c))))
	}
}

// closeList reads a closing bracket after an item of a list that is not a query. c is the
// closing bracket, and open is the opening one, for the error message.
func (p *parser) closeList(open token, c byte) {
	if !p.accept(c) {
		p.unlisted(open, `"," or `+strconv.Quote(string(rune(c))))
	}
}

// word reads the keyword w after a query.
func (p *parser) word(w string) {
	if !p.advanceIf(p.isWord(w)) {
		p.misplaced(strconv.Quote(w))
	}
}

// as reads the keyword "as".
func (p *parser) as() {
	if !p.advanceIf(p.isWord("as")) {
		p.unexpected(`"as"`)
	}
}

func (p *parser) semicolon() { p.expect(';') }

// take reads a token of the given kind and returns its value. If the token has another
// kind, the error message names want as the expected token.
func (p *parser) take(k tokenKind, want string) string {
	if p.tok.kind != k {
		p.unexpected(want)
	}
	v := p.tok.val
	p.advance()
	return v
}

func (p *parser) nameOrVariable(want string) string {
	if p.tok.kind == tokVariable {
		return p.take(tokVariable, want)
	}
	return p.take(tokName, want)
}
