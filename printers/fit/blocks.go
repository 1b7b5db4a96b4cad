package fit

import (
	"strings"
	"unicode/utf8"
)

// A Block is a row that is printed on several lines: the cells of its first
// line, and the texts below it, each of which is wrapped.
type Block struct {
	Head []string
	Body []string
}

// Blocks splits each row into a head and a body. The cells of the columns with
// the given indices become the head. Each cell of the other columns becomes a text
// of the body. A cell that is equal to one of the last arguments, such as "-", is
// left out. Names in the head are shortened until the head fits the width.
func Blocks(width int, columns []Column, rows [][]string, head []int, empty ...string) []Block {
	inHead := map[int]bool{}
	for _, i := range head {
		inHead[i] = true
	}
	heads := make([][]string, len(rows))
	for r, cells := range rows {
		for _, i := range head {
			heads[r] = append(heads[r], cells[i])
		}
	}
	of := make([]Column, len(head))
	for k, i := range head {
		of[k] = columns[i]
		of[k].Min = width // a cell of the head isn't cut
	}
	l := New(width, of, heads)
	l.widths = make([]int, len(head))
	l.shown = nil
	for k := range head {
		l.shown = append(l.shown, k)
	}
	heads = l.Rows(heads)
	blocks := make([]Block, len(rows))
	for r, cells := range rows {
		for _, cell := range heads[r] {
			if !oneOf(cell, empty) {
				blocks[r].Head = append(blocks[r].Head, cell)
			}
		}
		for i, cell := range cells {
			if !inHead[i] && !oneOf(cell, empty) {
				blocks[r].Body = append(blocks[r].Body, cell)
			}
		}
	}
	return blocks
}

func oneOf(cell string, words []string) bool {
	for _, w := range words {
		if cell == w {
			return true
		}
	}
	return false
}

// Wrap splits a text into lines of at most width characters. It splits at
// spaces, and inside a word only if the word is wider than a line.
func Wrap(text string, width int) []string {
	width = max(width, 1)
	var lines []string
	line, size := "", 0
	flush := func() {
		lines = append(lines, line)
		line, size = "", 0
	}
	for _, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		if size > 0 && size+1+n > width {
			flush()
		}
		for n > width {
			line = string([]rune(word)[:width])
			word = word[len(line):]
			n -= width
			flush()
		}
		if size > 0 {
			line += " "
			size++
		}
		line += word
		size += n
	}
	if size > 0 {
		flush()
	}
	return lines
}
