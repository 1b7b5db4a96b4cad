package diff

import (
	"context"
	"fmt"
)

// TextLine is a line of a unified diff. Op is '-', '+' or ' ', or '@' for the first line
// of a hunk.
type TextLine struct {
	Op   byte
	Text string // the line without its first character; only the first line of a hunk keeps its "@@ "
}

// Unified passes the lines of a unified diff of a section to out. It shows the given
// number of unchanged lines around each change. The two compared texts are JSON with one
// member per line. Values that are not compared are omitted. Lists whose order has no
// meaning are in the order of side a. The first line of a hunk names the resource that
// contains the hunk's first change.
func (s Section) Unified(ctx context.Context, around int, out func(TextLine)) error {
	if s.Edit == nil {
		return nil
	}
	h := &hunks{around: around, out: out}
	err := (&unified{renderer: renderer{h.line}, ctx: ctx, hunks: h}).write(s)
	h.end()
	return err
}

// Texts passes all lines of the section's two texts to out. Op is ' ' for a line in both
// texts, '-' for a line only in the text of a, and '+' for a line only in the text of b.
// If the sides are equal, out is never called.
func (s Section) Texts(ctx context.Context, out func(TextLine)) error {
	if s.Edit == nil {
		return nil
	}
	r := renderer{func(l line) { out(TextLine{l.side, l.text}) }}
	return (&unified{renderer: r, ctx: ctx}).write(s)
}

type unified struct {
	renderer
	ctx   context.Context
	hunks *hunks // the hunks of a unified diff; nil if all lines are written
	err   error
}

func (u *unified) write(s Section) error {
	if !s.Edit.List || !s.ofResources() {
		u.edit("", s.Edit, false, false)
		return u.err
	}
	u.out(line{' ', "["})
	u.inside(step, s.Edit.Inside, u.resource)
	u.out(line{' ', "]"})
	return u.err
}

// fewLines is the number of lines below which an unchanged resource is always written. A
// longer unchanged resource is written only if it is next to a change.
const fewLines = 40

// resource writes one element of a section, such as a cluster.
func (u *unified) resource(margin string, e *Edit, commaA, commaB bool) {
	if u.hunks != nil && !e.Same {
		u.hunks.heading = describeResource(e)
	}
	if !e.Same {
		u.edit(margin, e, commaA, commaB)
		return
	}
	write := func(out func(line)) {
		v, err := settle(u.ctx, e.shown())
		if err != nil && u.err == nil {
			u.err = err
		}
		renderer{out}.same(margin, "", v, commaA, commaB)
	}
	if u.hunks == nil || e.lines < fewLines || commaA != commaB {
		write(u.out)
		return
	}
	u.hunks.block(e.lines, write)
}

// describeResource returns the name of a resource, followed by the Istio resource that it
// was generated from.
func describeResource(e *Edit) string {
	if e.Resource == nil {
		return ""
	}
	text := e.Resource.Name
	if e.Resource.Address != "" {
		text = e.Resource.Address + " of " + text
	}
	if source := sourceOf(e); source != "" {
		text += " (" + source + ")"
	}
	return text
}

// sourceOf returns the Istio resource that all changes in an edit were generated from. It
// returns "" if there are several.
func sourceOf(e *Edit) string {
	source := ""
	for i, c := range (Section{Edit: e}).Changes() {
		if i > 0 && c.Source != source {
			return ""
		}
		source = c.Source
	}
	return source
}

// hunks collects lines into the hunks of a unified diff.
type hunks struct {
	around  int
	out     func(TextLine)
	heading string

	a, b    int      // number of lines of each text that were written so far
	before  []string // unchanged lines with which the next hunk may begin
	many    func(func(line))
	current *hunk
}

type hunk struct {
	fromA, fromB   int // number of lines of each text before this hunk
	heading        string
	lines          []TextLine
	removed, added []string // lines of the current change; the removed lines are written first
	same           int      // number of unchanged lines at the end of this hunk
}

func (h *hunks) line(l line) {
	if l.side == ' ' {
		h.unchanged(l.text)
		return
	}
	if h.current == nil {
		h.begin()
	}
	c := h.current
	c.same = 0
	if l.side == '-' {
		c.removed = append(c.removed, l.text)
		h.a++
		return
	}
	c.added = append(c.added, l.text)
	h.b++
}

func (h *hunks) unchanged(text string) {
	h.a, h.b = h.a+1, h.b+1
	if h.current == nil {
		if h.before = append(h.before, text); len(h.before) > 2*h.around+fewLines {
			h.before = append(h.before[:0], h.before[len(h.before)-h.around:]...)
			h.many = nil
		}
		return
	}
	c := h.current
	c.settle()
	c.lines = append(c.lines, TextLine{' ', text})
	if c.same++; c.same > 2*h.around {
		h.end()
	}
}

// block adds n unchanged lines. Their text is requested, by calling the function write,
// only if they are next to a change.
func (h *hunks) block(n int, write func(func(line))) {
	if h.current != nil {
		write(h.line)
		return
	}
	h.a, h.b = h.a+n, h.b+n
	h.before, h.many = h.before[:0], write
}

func (h *hunks) begin() {
	if len(h.before) < h.around && h.many != nil {
		var lines []string
		h.many(func(l line) { lines = append(lines, l.text) })
		h.before = append(lines, h.before...)
	}
	lead := h.before[max(0, len(h.before)-h.around):]
	c := &hunk{fromA: h.a - len(lead), fromB: h.b - len(lead), heading: h.heading}
	for _, text := range lead {
		c.lines = append(c.lines, TextLine{' ', text})
	}
	h.current, h.before, h.many = c, nil, nil
}

// settle writes the lines of the current change to the hunk, the removed ones first.
func (c *hunk) settle() {
	for _, text := range c.removed {
		c.lines = append(c.lines, TextLine{'-', text})
	}
	for _, text := range c.added {
		c.lines = append(c.lines, TextLine{'+', text})
	}
	c.removed, c.added = nil, nil
}

// end writes the current hunk. It drops unchanged lines that are too far after the last
// change.
func (h *hunks) end() {
	c := h.current
	if c == nil {
		return
	}
	c.settle()
	keep := len(c.lines) - max(0, c.same-h.around)
	for _, l := range c.lines[keep:] {
		h.before = append(h.before, l.Text)
	}
	linesA, linesB := 0, 0
	for _, l := range c.lines[:keep] {
		if l.Op != '+' {
			linesA++
		}
		if l.Op != '-' {
			linesB++
		}
	}
	first := fmt.Sprintf("@@ -%s +%s @@", span(c.fromA, linesA), span(c.fromB, linesB))
	if c.heading != "" {
		first += " " + c.heading
	}
	h.out(TextLine{'@', first})
	for _, l := range c.lines[:keep] {
		h.out(l)
	}
	h.current = nil
}

// span formats the line numbers of a hunk for its first line. If n is 0, the hunk has no
// lines in this text, and the number is that of the line before it.
func span(before, n int) string {
	switch n {
	case 0:
		return fmt.Sprintf("%d,0", before)
	case 1:
		return fmt.Sprint(before + 1)
	}
	return fmt.Sprintf("%d,%d", before+1, n)
}
