package eval

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"
)

// pattern is a regular expression with its flags, as gojq understands them.
type pattern struct {
	source, flags string
	re            *regexp.Regexp
	// after matches one character, then the expression: an empty match behind
	// a match is found with it, as Go passes over those and jq does not.
	after  *regexp.Regexp
	global bool
	full   bool // empty matches count
}

// patterns keeps what was compiled: the few that a query repeats.
type patterns struct {
	last atomic.Pointer[pattern]
	mu   sync.Mutex
	all  map[[2]string]*pattern
}

// keptPatterns is how many are kept before all are dropped.
const keptPatterns = 256

// patternSize is about what a byte of a pattern takes when it is compiled.
const patternSize = 512

func (ps *patterns) get(m *mach, source, flags string) (*pattern, error) {
	if p := ps.last.Load(); p != nil && p.source == source && p.flags == flags {
		return p, nil
	}
	k := [2]string{source, flags}
	ps.mu.Lock()
	p := ps.all[k]
	ps.mu.Unlock()
	if p == nil {
		if err := m.alloc(patternSize * len(source)); err != nil {
			return nil, err
		}
		var err error
		if p, err = newPattern(source, flags); err != nil {
			return nil, err
		}
		ps.mu.Lock()
		if ps.all == nil || len(ps.all) >= keptPatterns {
			ps.all = map[[2]string]*pattern{}
		}
		ps.all[k] = p
		ps.mu.Unlock()
	}
	ps.last.Store(p)
	return p, nil
}

// newPattern compiles an expression. The flags are gojq's: g for all matches, i
// for any case, m for a dot that matches newlines too; and jq's: p, which is
// gojq's m, x for blanks and comments that don't count, n for no empty matches,
// l for the longest match, and s, which is how it is in any case.
func newPattern(source, flags string) (*pattern, error) {
	p := &pattern{source: source, flags: flags, full: true}
	re, longest := source, false
	for _, f := range flags {
		switch f {
		case 'g':
			p.global = true
		case 'i', 'm', 'x', 's', 'p':
		case 'n':
			p.full = false
		case 'l':
			longest = true
		default:
			return nil, plainError(flags + " is not a valid modifier string")
		}
	}
	if strings.ContainsRune(flags, 'x') {
		re = withoutBlanks(re)
	}
	if strings.ContainsRune(flags, 'i') {
		re = "(?i)" + re
	}
	if strings.ContainsAny(flags, "mp") {
		re = "(?s)" + re
	}
	var err error
	if p.re, err = regexp.Compile(re); err != nil {
		//lint:ignore ST1005 jq's words
		return nil, fmt.Errorf("Regex failure: %q: %s", source, strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	if longest {
		p.re.Longest()
	}
	if p.global {
		p.after, _ = regexp.Compile(`\A(?s:.)(?:` + re + `)`)
	}
	return p, nil
}

// withoutBlanks takes blanks and comments out of an expression, but for those
// in classes and behind a backslash.
func withoutBlanks(re string) string {
	var out strings.Builder
	class := false
	for i := 0; i < len(re); i++ {
		switch b := re[i]; {
		case b == '\\' && i+1 < len(re):
			out.WriteString(re[i : i+2])
			i++
		case class:
			class = b != ']'
			out.WriteByte(b)
		case b == '[':
			class = true
			out.WriteByte(b)
		case b == '#':
			if n := strings.IndexByte(re[i:], '\n'); n >= 0 {
				i += n
			} else {
				i = len(re)
			}
		case strings.IndexByte(" \t\n\r\f\v", b) < 0:
			out.WriteByte(b)
		}
	}
	return out.String()
}

// matchSize is about what a match takes, and each group in it.
const (
	matchSize = 96
	groupSize = 16
)

// find gives the places of all matches in s, or of the first.
func (p *pattern) find(m *mach, s string) ([][]int, error) {
	n := 1
	if p.global || !p.full { // no more than there is room for
		n = int(min(m.run.budget.max/int64(matchSize+2*groupSize*(p.re.NumSubexp()+1)), int64(len(s))+1)) + 1
	}
	found, err := aside(m, len(s), func() [][]int { return p.all(s, n) })
	if err != nil {
		return nil, err
	}
	return found, m.alloc(len(found) * (matchSize + groupSize*2*(p.re.NumSubexp()+1)))
}

func (p *pattern) all(s string, n int) [][]int {
	found := p.re.FindAllStringSubmatchIndex(s, n)
	if p.after != nil && p.global && len(found) > 0 {
		found = p.withEmpty(s, found)
	}
	if !p.full {
		kept := found[:0]
		for _, x := range found {
			if x[0] < x[1] {
				kept = append(kept, x)
			}
		}
		if found = kept; !p.global && len(found) > 1 {
			found = found[:1]
		}
	}
	return found
}

// withEmpty adds the empty matches that end a match which is not empty.
func (p *pattern) withEmpty(s string, found [][]int) [][]int {
	all := make([][]int, 0, len(found))
	for i, x := range found {
		all = append(all, x)
		if x[0] == x[1] || i+1 < len(found) && found[i+1][0] == x[1] {
			continue
		}
		_, width := utf8.DecodeLastRuneInString(s[:x[1]])
		from := x[1] - width
		y := p.after.FindStringSubmatchIndex(s[from:])
		if y == nil || y[1] != width {
			continue
		}
		for j := range y {
			if y[j] >= 0 {
				y[j] += from
			}
		}
		y[0] = x[1]
		all = append(all, y)
	}
	return all
}

// runes counts the characters in front of a place; the places must not go
// back by much.
type runes struct {
	s     string
	byte  int
	count int
}

func (r *runes) at(i int) int {
	if i < r.byte {
		return r.count - utf8.RuneCountInString(r.s[i:r.byte])
	}
	r.count += utf8.RuneCountInString(r.s[r.byte:i])
	r.byte = i
	return r.count
}

// matches tells whether there is a match that counts.
func (p *pattern) matches(s string) bool {
	if p.full {
		return p.re.MatchString(s)
	}
	return len(p.all(s, -1)) > 0
}
