// Package conform lists where the language differs from jq 1.8.2 and from gojq,
// and why. The tests, which run the cases of both, and the manual use this list.
package conform

// A Suite is a file of test cases of jq or gojq.
type Suite struct {
	Name  string
	Cases int
}

// JQ returns jq 1.8.2's own test files.
func JQ() []Suite {
	return []Suite{
		{"jq.test", 550}, {"man.test", 231}, {"manonig.test", 19}, {"onig.test", 47}, {"optional.test", 2}, {"base64.test", 10}, {"uri.test", 20},
	}
}

// Gojq returns the suite of gojq 0.12.20's command tests, without the cases that
// need more than the language.
func Gojq() Suite { return Suite{"cli/test.yaml", 791} }

// A Difference is a deliberate difference, with the test cases that show it:
// those of jq as file:line, those of gojq by name.
type Difference struct {
	Reason string
	JQ     []string
	Gojq   []string
}

// FailsJQ returns how many cases of a jq test file differ.
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

// FailsGojq returns how many of gojq's cases differ.
func FailsGojq() (n int) {
	for _, d := range Differences() {
		n += len(d.Gojq)
	}
	return n
}
