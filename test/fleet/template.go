package fleet

import (
	"bytes"
	"fmt"
)

// The tokens in a template mark the places where proxies differ. A token is as long as every text that can replace it.
// The comments show examples of replacements.
const (
	podToken       = "^pod^^^^^^^^^^^^^^^^^^^^^^" // web-00042-5d8f7b9c64-x7k2p
	appToken       = "^app^^^^^"                  // web-00042
	namespaceToken = "^ns^^^^"                    // team-07
	ipToken        = "^ip^^^^^^^^^^^"             // 10.100.101.142
	serialToken    = "^serial"                    // 1000042
	millisToken    = "^ms"                        // 273
)

// The kinds of tokens, in the order of Proxy.replacements.
const (
	podWord = iota
	appWord
	namespaceWord
	ipWord
	serialWord
	millisWord // not in Proxy.replacements: computed, because it differs for each token of a template
)

func tokens() []string {
	return []string{podToken, appToken, namespaceToken, ipToken, serialToken, millisToken}
}

// A template is a text with tokens.
type template struct {
	text    []byte
	patches []patch // positions of the tokens, in order
}

type patch struct {
	at   int
	kind int
}

func newTemplate(text []byte) *template {
	t := &template{text: text}
	for i := 0; ; {
		n := bytes.IndexByte(text[i:], '^')
		if n < 0 {
			return t
		}
		i += n
		step := 1
		for kind, token := range tokens() {
			if bytes.HasPrefix(text[i:], []byte(token)) {
				t.patches = append(t.patches, patch{i, kind})
				step = len(token)
				break
			}
		}
		i += step
	}
}

// fixed returns a template without tokens.
func fixed(text string) *template { return &template{text: []byte(text)} }

// replacement returns the replacement of a template's nth token.
func (p *Proxy) replacement(kind, nth int) string {
	if kind == millisWord {
		return fmt.Sprintf("%03d", (nth*37+p.index*11)%1000)
	}
	return p.replacements[kind]
}

// A part of a body is a template and the proxy that fills it in.
type part struct {
	*template
	proxy *Proxy // nil if the template has no tokens
}

// A body is the body of an answer.
type body []part

func (b body) size() (n int64) {
	for _, p := range b {
		n += int64(len(p.text))
	}
	return n
}

// pour copies the body into buf, one piece at a time, and calls take with each piece. A piece is valid only during the
// call. pour stops at the first error of take.
func (b body) pour(buf []byte, take func([]byte) error) error {
	n := 0
	for _, p := range b {
		for at, nth := 0, 0; at < len(p.text); {
			end, next := p.endWithin(at, len(buf)-n, nth)
			if end == at {
				if err := take(buf[:n]); err != nil {
					return err
				}
				n = 0
				continue
			}
			copy(buf[n:], p.text[at:end])
			for ; nth < next; nth++ {
				c := p.patches[nth]
				copy(buf[n+c.at-at:], p.proxy.replacement(c.kind, nth))
			}
			n, at = n+end-at, end
		}
	}
	if n == 0 {
		return nil
	}
	return take(buf[:n])
}

// endWithin returns the end of the longest piece of a part that starts at the offset at, has at most room bytes and
// doesn't end inside a token. next is the index of the first token after the piece.
func (p part) endWithin(at, room, nth int) (end, next int) {
	end = min(at+room, len(p.text))
	for next = nth; next < len(p.patches); next++ {
		c := p.patches[next]
		if c.at >= end {
			break
		}
		if c.at+len(tokens()[c.kind]) > end {
			return c.at, next
		}
	}
	return end, next
}

// bytes returns the whole body.
func (b body) bytes() []byte {
	out := make([]byte, 0, b.size())
	_ = b.pour(make([]byte, 32<<10), func(piece []byte) error { // the function never fails
		out = append(out, piece...)
		return nil
	})
	return out
}
