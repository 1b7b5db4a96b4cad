package shell

import (
	"strings"

	"github.com/meshq/kubectl-meshq/plugin/options"
)

// A ShellWord is one word of a command line, as a shell would read it.
type ShellWord struct {
	Text     string // the word without its quotes
	Places   []int  // offsets in the line: first that of the word's start, then those after each byte of Text
	Quote    byte   // the quote that is still open at the end of the word; 0 if there is none
	Redirect bool   // true if the word is the name of a file after < or >
}

// AnsiQuote is the value of ShellWord.Quote inside $'…'. Nothing is completed there.
const AnsiQuote = '$'

// ShellWords splits a command line, up to the cursor, as bash and zsh do. The last word
// is the one to complete, and may be empty. Variables and ~ are expanded except in the
// last word; nothing else is expanded.
func ShellWords(line string, env func(string) string) (words []ShellWord) {
	r := &shellReader{line: line, env: env}
	for r.at < len(line) {
		switch c := line[r.at]; {
		case c == ' ' || c == '\t' || c == '\n':
			r.end()
			r.at++
		case c == '<' || c == '>':
			r.end()
			r.redirect = true
			r.at++
		default:
			r.begin()
			r.next(c)
		}
	}
	if r.word == nil {
		r.begin()
	}
	r.word.Quote = 0
	if r.open != 0 {
		r.word.Quote = r.open
	}
	return append(r.words, *r.word)
}

// A shellReader splits a command line into words.
type shellReader struct {
	line     string
	at       int
	env      func(string) string
	words    []ShellWord
	word     *ShellWord
	redirect bool
	open     byte // the quote that is still open at the end of the line; 0 if there is none
}

func (r *shellReader) begin() {
	if r.word == nil {
		r.word = &ShellWord{Places: []int{r.at}, Redirect: r.redirect}
		r.redirect = false
	}
}

func (r *shellReader) end() {
	if r.word != nil {
		r.words, r.word = append(r.words, *r.word), nil
	}
}

// put appends text to the current word, and continues at offset end of the line.
func (r *shellReader) put(text string, end int) {
	for range len(text) {
		r.word.Places = append(r.word.Places, end)
	}
	r.word.Text += text
	r.at = end
}

// skip skips an opening quote of n bytes, which is not part of the word's text.
func (r *shellReader) skip(n int) {
	r.at += n
	r.word.Places[len(r.word.Places)-1] = r.at
}

func (r *shellReader) next(c byte) {
	switch {
	case c == '\'':
		r.single()
	case c == '"':
		r.double()
	case c == '\\' && r.at+1 < len(r.line):
		r.put(r.line[r.at+1:r.at+2], r.at+2)
	case c == '\\':
		r.at++
	case c == '$' && strings.HasPrefix(r.line[r.at:], "$'"):
		r.ansi()
	case c == '$':
		r.variable()
	case c == '~' && r.word.Text == "" && r.at == r.word.Places[0] && r.env("HOME") != "":
		if rest := r.line[r.at+1:]; strings.HasPrefix(rest, "/") && strings.ContainsAny(rest, " \t\n") {
			r.put(r.env("HOME"), r.at+1)
			return
		}
		r.put("~", r.at+1)
	default:
		r.put(r.line[r.at:r.at+1], r.at+1)
	}
}

func (r *shellReader) single() {
	r.skip(1)
	end := strings.IndexByte(r.line[r.at:], '\'')
	if end < 0 {
		r.open, end = '\'', len(r.line)-r.at
	}
	for i := r.at; end > 0; end-- {
		r.put(r.line[i:i+1], i+1)
		i++
	}
	if r.open == 0 {
		r.at++
	}
}

func (r *shellReader) double() {
	r.skip(1)
	for r.at < len(r.line) {
		c := r.line[r.at]
		switch {
		case c == '"':
			r.at++
			return
		case c == '\\' && r.at+1 < len(r.line) && strings.IndexByte("\\\"$`\n", r.line[r.at+1]) >= 0:
			r.put(r.line[r.at+1:r.at+2], r.at+2)
		case c == '$':
			r.variable()
		default:
			r.put(r.line[r.at:r.at+1], r.at+1)
		}
	}
	r.open = '"'
}

// ansi skips $'…' without adding its content to the word.
func (r *shellReader) ansi() {
	r.at += 2
	for r.at < len(r.line) {
		switch r.line[r.at] {
		case '\'':
			r.at++
			return
		case '\\':
			r.at++
		}
		r.at = min(r.at+1, len(r.line))
	}
	r.open = AnsiQuote
}

// variable replaces $NAME or ${NAME} with the value of the environment variable. It
// keeps the text unchanged if the variable isn't set, and in the last word of the line.
func (r *shellReader) variable() {
	rest := r.line[r.at+1:]
	name, length := rest, 1
	if inner, ok := strings.CutPrefix(rest, "{"); ok {
		name, _, ok = strings.Cut(inner, "}")
		if length = len(name) + 3; !ok {
			name = ""
		}
	} else {
		n := 0
		for n < len(rest) && (options.IsName(rest[:n+1])) {
			n++
		}
		name, length = rest[:n], n+1
	}
	last := !strings.ContainsAny(r.line[r.at:], " \t\n")
	if !options.IsName(name) || last || r.env(name) == "" {
		r.put("$", r.at+1)
		return
	}
	r.put(r.env(name), r.at+length)
}

// Requoted escapes a string for bash and zsh. If a quote is open, it escapes the string
// for use inside that quote. In double quotes, "!" can't be escaped from history
// expansion, so it closes the quotes before the "!" and opens them again.
func Requoted(text string, quote byte) string {
	switch quote {
	case '\'':
		return strings.ReplaceAll(text, "'", `'\''`)
	case '"':
		return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`", "!", `"\!"`).Replace(text)
	}
	var b strings.Builder
	for i := range len(text) { // byte by byte, because the string may not be valid UTF-8
		if c := text[i]; strings.IndexByte("|&;<>()$`\\\"' \t*?[]#~!{}^", c) >= 0 || c == '=' && i == 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(text[i])
	}
	return b.String()
}
