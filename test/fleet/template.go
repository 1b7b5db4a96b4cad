package fleet

import (
	"bytes"
	"fmt"
)

// What differs from proxy to proxy stands in a template as a token, which is
// as long as all that can take its place.
const (
	podToken       = "^pod^^^^^^^^^^^^^^^^^^^^^^" // web-00042-5d8f7b9c64-x7k2p
	appToken       = "^app^^^^^"                  // web-00042
	namespaceToken = "^ns^^^^"                    // team-07
	ipToken        = "^ip^^^^^^^^^^^"             // 10.100.101.142
	serialToken    = "^serial"                    // 1000042
	millisToken    = "^ms"                        // 273
)

// The kinds of tokens, in the order of Proxy.words.
const (
	podWord = iota
	appWord
	namespaceWord
	ipWord
	serialWord
	millisWord // computed: another one at every place
)

func tokens() []string {
	return []string{podToken, appToken, namespaceToken, ipToken, serialToken, millisToken}
}

// A template is a text that is alike for all proxies but for some words.
type template struct {
	text    []byte
	patches []patch // in order
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

// text that is the same for all.
func fixed(text string) *template { return &template{text: []byte(text)} }

// word gives what takes the place of the nth token of a template.
func (p *Proxy) word(kind, nth int) string {
	if kind == millisWord {
		return fmt.Sprintf("%03d", (nth*37+p.index*11)%1000)
	}
	return p.words[kind]
}

// A part of a body is a template filled in for a proxy.
type part struct {
	*template
	proxy *Proxy // nil where nothing is to be filled in
}

// A body is an answer.
type body []part

func (b body) size() (n int64) {
	for _, p := range b {
		n += int64(len(p.text))
	}
	return n
}

// pour gives the body in pieces that fit into buf. A piece is only good until
// the next. It stops when take does.
func (b body) pour(buf []byte, take func([]byte) error) error {
	n := 0
	for _, p := range b {
		for at, nth := 0, 0; at < len(p.text); {
			end, next := p.upTo(at, len(buf)-n, nth)
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
				copy(buf[n+c.at-at:], p.proxy.word(c.kind, nth))
			}
			n, at = n+end-at, end
		}
	}
	if n == 0 {
		return nil
	}
	return take(buf[:n])
}

// upTo gives how much of a part fits into some room without dividing a token,
// and the number of the first token behind that.
func (p part) upTo(at, room, nth int) (end, next int) {
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

// bytes gives the whole body.
func (b body) bytes() []byte {
	out := make([]byte, 0, b.size())
	_ = b.pour(make([]byte, 32<<10), func(piece []byte) error { // nobody stops it
		out = append(out, piece...)
		return nil
	})
	return out
}
