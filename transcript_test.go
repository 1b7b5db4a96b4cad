package main

import (
	"fmt"
	"strings"
	"testing"
)

// transcript is what a command prints, stderr after stdout, and its exit code
// if that is not 0.
func transcript(t *testing.T, args []string) string {
	t.Helper()
	out, errs, code := meshq(t, args...)
	s := out + errs
	if s != "" && !strings.HasSuffix(s, "\n") {
		s += "\n"
	}
	if code != 0 && !strings.Contains(s, "exit code") {
		s += fmt.Sprintf("(exit code %d)\n", code)
	}
	return s
}

// words splits a command as a shell would, of which it knows the quotes.
func words(line string) []string {
	var all []string
	var word strings.Builder
	quote, in := rune(0), false
	for _, c := range line {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '\'' || c == '"'):
			quote, in = c, true
		case quote == 0 && c == ' ':
			if in {
				all = append(all, word.String())
			}
			word.Reset()
			in = false
		default:
			word.WriteRune(c)
			in = true
		}
	}
	if in {
		all = append(all, word.String())
	}
	return all
}
