package run

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/meshq/kubectl-meshq/printers/safe"
	"github.com/meshq/kubectl-meshq/sources/requests"
)

const (
	progressAfter = time.Second            // a shorter run says nothing
	progressEvery = 100 * time.Millisecond // how often the line is drawn, at most
	progressOver  = 2 * time.Second        // what the rate is of
)

// eraseLine goes to the line's beginning and clears it.
const eraseLine = "\r\x1b[K"

// Progress prints the progress of a run as one line on a terminal. Standard
// error is written through it: it erases the line, and draws it again below.
// The first result, or the end of the run, ends it. A nil Progress prints
// nothing.
type Progress struct {
	Out   io.Writer
	Width func() int
	Now   func() time.Time

	mu      sync.Mutex
	Began   time.Time
	of      func() requests.Progress // nil: nothing can be told yet
	waiting string                   // what stands there instead, while it isn't empty
	shown   string                   // what stands on the terminal
	over    bool
	samples []sample
}

// A sample is how many bytes there were at a time.
type sample struct {
	at    time.Time
	bytes int64
}

// Follow shows the progress of a mesh from here on.
func (p *Progress) Follow(of func() requests.Progress) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.of, p.waiting, p.samples = of, "", nil
}

// Wait shows what is waited for, until a mesh is followed again.
func (p *Progress) Wait(text string) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting = text
}

// Write writes to standard error in the place of the line.
func (p *Progress) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
	return p.Out.Write(b)
}

// End takes the line away for good.
func (p *Progress) End() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
	p.over = true
}

func (p *Progress) erase() {
	if p.shown != "" {
		_, _ = io.WriteString(p.Out, eraseLine) // a terminal that is gone shows nothing anyway
		p.shown = ""
	}
}

// Draw writes the line of progress if it has changed.
func (p *Progress) Draw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.Now()
	if p.over || now.Sub(p.Began) < progressAfter {
		return
	}
	text := safe.Line(p.text(now))
	if most := p.columns() - 1; utf8.RuneCountInString(text) > most { // in the last column some terminals begin a new line
		text = string([]rune(text)[:most])
	}
	if text == p.shown {
		return
	}
	_, _ = io.WriteString(p.Out, "\r"+text+"\x1b[K")
	p.shown = text
}

// columns is how wide the terminal is; it may change at any time.
func (p *Progress) columns() int {
	if p.Width != nil {
		if n := p.Width(); n > 1 {
			return n
		}
	}
	return 80
}

// text is what the line says: phase, done of total, bytes, rate.
func (p *Progress) text(now time.Time) string {
	if p.waiting != "" {
		return p.waiting
	}
	if p.of == nil {
		return "opening the mesh"
	}
	is := p.of()
	if is.Phase == "" {
		return "opening the mesh"
	}
	parts := []string{is.Phase, fmt.Sprintf("%d/%d", is.Done, is.Total)}
	if is.Bytes > 0 {
		parts = append(parts, InBrief(float64(is.Bytes)))
	}
	if rate := p.rate(now, is.Bytes); rate > 0 {
		parts = append(parts, InBrief(rate)+"/s")
	}
	return strings.Join(parts, "  ")
}

// rate is how many bytes a second came lately.
func (p *Progress) rate(now time.Time, bytes int64) float64 {
	for len(p.samples) > 1 && now.Sub(p.samples[0].at) > progressOver {
		p.samples = p.samples[1:]
	}
	p.samples = append(p.samples, sample{now, bytes})
	first := p.samples[0]
	if took := now.Sub(first.at).Seconds(); took > 0 {
		return float64(bytes-first.bytes) / took
	}
	return 0
}

// InBrief writes a number of bytes in two or three digits.
func InBrief(n float64) string {
	unit := "B"
	for _, larger := range []string{"kB", "MB", "GB"} {
		if n < 999.5 {
			break
		}
		n, unit = n/1000, larger
	}
	if n < 9.95 && unit != "B" {
		return fmt.Sprintf("%.1f %s", n, unit)
	}
	return fmt.Sprintf("%.0f %s", n, unit)
}
