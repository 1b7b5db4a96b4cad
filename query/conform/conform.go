// Package conform lists where the language differs from jq 1.8.2 and from
// gojq, with the reason: for the tests, which run the cases of both, and for
// the manual.
package conform

// A Suite is a file of jq's own tests, or gojq's.
type Suite struct {
	Name  string
	Cases int
}

// JQ are jq 1.8.2's own test files.
func JQ() []Suite {
	return []Suite{
		{"jq.test", 550}, {"man.test", 231}, {"manonig.test", 19}, {"onig.test", 47}, {"optional.test", 2}, {"base64.test", 10}, {"uri.test", 20},
	}
}

// Gojq is the part of gojq 0.12.20's test of its command that needs no more
// than the language.
func Gojq() Suite { return Suite{"cli/test.yaml", 791} }

// A Difference is a decision to differ, with the cases that show it: of jq's as
// file:line, of gojq's by their names.
type Difference struct {
	Reason string
	JQ     []string
	Gojq   []string
}

// FailsJQ counts the cases of a file of jq's that differ.
func FailsJQ(suite string) (n int) {
	for _, d := range Differences() {
		for _, c := range d.JQ {
			if len(c) > len(suite) && c[:len(suite)+1] == suite+":" {
				n++
			}
		}
	}
	return n
}

// FailsGojq counts gojq's cases that differ.
func FailsGojq() (n int) {
	for _, d := range Differences() {
		n += len(d.Gojq)
	}
	return n
}
