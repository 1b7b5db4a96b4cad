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
	progressAfter = time.Second            // the run time from which progress is printed
	progressEvery = 100 * time.Millisecond // the minimum time between two updates of the progress line
	progressOver  = 2 * time.Second        // the period over which the rate is averaged
)

// eraseLine moves the cursor to the beginning of the line and erases the line.
const eraseLine = "\r\x1b[K"

// Progress prints the progress of a run as one line on a terminal. All output to
// standard error is written through Write, which erases the line first; Draw draws
// it again below the output. The line disappears permanently at the first result or
// at the end of the run. A nil Progress prints nothing.
type Progress struct {
	Out   io.Writer
	Width func() int
	Now   func() time.Time

	mu      sync.Mutex
	Began   time.Time
	of      func() requests.Progress // returns the current progress; nil until the mesh is open
	waiting string                   // the text to show in place of the progress; empty if the run isn't waiting
	shown   string                   // the text that is currently on the terminal; empty if there is none
	over    bool
	samples []sample
}

// A sample is the number of bytes that were received until a certain time.
type sample struct {
	at    time.Time
	bytes int64
}

// Follow shows the run's progress from now on. It gets the progress by calling the
// function of.
func (p *Progress) Follow(of func() requests.Progress) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.of, p.waiting, p.samples = of, "", nil
}

// Wait shows a text instead of the progress until the next call of Follow.
// The text describes what the run is waiting for.
func (p *Progress) Wait(text string) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting = text
}

// Write erases the progress line and writes b to standard error.
func (p *Progress) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
	return p.Out.Write(b)
}

// End erases the progress line. The line is not drawn again.
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
		_, _ = io.WriteString(p.Out, eraseLine) // an error means that the terminal is closed, which is no reason to fail the run
		p.shown = ""
	}
}

// Draw draws the progress line if its text has changed.
func (p *Progress) Draw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.Now()
	if p.over || now.Sub(p.Began) < progressAfter {
		return
	}
	text := safe.Line(p.text(now))
	// the last column stays empty, because some terminals begin a new line
	// after it
	if most := p.columns() - 1; utf8.RuneCountInString(text) > most {
		text = string([]rune(text)[:most])
	}
	if text == p.shown {
		return
	}
	_, _ = io.WriteString(p.Out, "\r"+text+"\x1b[K")
	p.shown = text
}

// columns returns the width of the terminal, which may change at any time.
func (p *Progress) columns() int {
	if p.Width != nil {
		if n := p.Width(); n > 1 {
			return n
		}
	}
	return 80
}

// text returns the text of the progress line: the phase, the numbers of finished
// requests and of all requests, the bytes, and the rate.
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

// rate returns the average rate over the period progressOver, in bytes per second.
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

// InBrief formats a number of bytes with two or three digits and a unit.
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
