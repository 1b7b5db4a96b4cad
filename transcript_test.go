package main

import (
	"fmt"
	"strings"
	"testing"
)

// transcript returns the output of a command: standard output, then standard
// error, then the exit code if it is not 0.
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

// words splits a command line as a shell would. It understands quotes, but no
// other syntax.
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
