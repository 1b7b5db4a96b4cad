package library

import "strings"

// documented reads the comments of a file. A function's comment begins with
// its signature and a colon, as in
//
//	# proxy(name): the proxy of that name.
//	#   .proxy("reviews-v1").clusters | length
//	def proxy($name): …
//
// Lines indented by three spaces are examples. A comment that stands alone
// (an empty line behind it) is the file's own and documents no function.
func documented(subject, text string) []Function {
	var out []Function
	var comment []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		switch {
		case strings.HasPrefix(line, "#"):
			comment = append(comment, strings.TrimPrefix(line, "#"))
		case strings.HasPrefix(line, "def ") && len(comment) > 0:
			if f, ok := function(subject, comment); ok {
				out = append(out, f)
			}
			comment = nil
		default:
			comment = nil
		}
	}
	return out
}

func function(subject string, comment []string) (Function, bool) {
	sig, doc, ok := strings.Cut(strings.TrimSpace(comment[0]), ": ")
	if !ok || strings.HasPrefix(sig, "_") {
		return Function{}, false
	}
	f := Function{Subject: subject, Signature: sig, Name: sig}
	if name, params, ok := strings.Cut(strings.TrimSuffix(sig, ")"), "("); ok {
		f.Name = name
		for p := range strings.SplitSeq(params, ";") {
			f.Params = append(f.Params, strings.TrimSpace(p))
		}
	}
	lines := []string{doc}
	for _, line := range comment[1:] {
		if example, ok := strings.CutPrefix(line, "   "); ok {
			f.Examples = append(f.Examples, example)
			continue
		}
		lines = append(lines, strings.TrimSpace(line))
	}
	f.Doc = strings.Join(lines, " ")
	return f, true
}
