package syntax

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

func (c *checker) call(f *Func) {
	if strings.HasPrefix(f.Name, "$") {
		c.variable(f.Name, f.Span)
		return
	}
	if k := Key(f.Name, len(f.Args)); !c.scope.has(k) && !c.given.Has(k) && k != "env/0" && !c.full() {
		c.undefined(f)
	}
	f.children(c.node)
}

// undefined reports a call of an undefined function. If another name was probably meant,
// the error suggests that name.
func (c *checker) undefined(f *Func) {
	keys := c.functions()
	module, _, qualified := strings.Cut(f.Name, "::")
	if qualified && !slices.ContainsFunc(keys, func(k string) bool { return strings.HasPrefix(k, module+"::") }) {
		if !c.imports(module) {
			c.report(f.Span, "module not imported: %s", module)
		}
		return
	}
	if arities := aritiesOf(keys, f.Name); len(arities) > 0 {
		got := strconv.Itoa(len(f.Args))
		if len(f.Args) == 0 {
			got = "none"
		}
		c.report(f.Span, "%s takes %s, not %s%s", f.Name, counted(arities), got, commaHint(f, arities))
		return
	}
	missing := Key(f.Name, len(f.Args))
	hint := ""
	if near, ok := nearestKey(keys, f.Name, len(f.Args)); ok {
		hint = ", did you mean " + near + "?"
	}
	if len(f.Args) == 0 && !f.Method && !qualified {
		start, field := dashed(c.program.Src, f.Span)
		if field != "" && start == c.dashed {
			return // the word was already reported at the first dash of the field
		}
		c.dashed = start
		hint = c.barewordHint(f.Name, field, hint)
	}
	c.report(f.Span, "function not defined: %s%s", missing, hint)
}

// functions returns the names of all functions that error messages may suggest, sorted.
func (c *checker) functions() []string {
	keys := slices.Clone(c.given.Keys())
	for _, name := range c.scope.names {
		if !strings.ContainsAny(name, "$ ") {
			keys = append(keys, name)
		}
	}
	keys = slices.DeleteFunc(keys, func(k string) bool { return strings.HasPrefix(k, "_") || strings.Contains(k, "::_") })
	slices.Sort(keys)
	return slices.Compact(keys)
}

func (c *checker) imports(module string) bool {
	return slices.ContainsFunc(c.program.Query.Imports, func(im *Import) bool { return im.ImportAlias == module })
}

// aritiesOf returns the numbers of arguments with which the named function can be called,
// in ascending order.
func aritiesOf(keys []string, name string) (arities []int) {
	for _, k := range keys {
		if digits, ok := strings.CutPrefix(k, name+"/"); ok {
			if n, err := strconv.Atoi(digits); err == nil {
				arities = append(arities, n)
			}
		}
	}
	slices.Sort(arities)
	return arities
}

// counted returns a text for the possible numbers of arguments: "1 argument", "2 or 3
// arguments", "no argument".
func counted(arities []int) string {
	words := make([]string, len(arities))
	for i, n := range arities {
		words[i] = amount(n)
	}
	last := len(words) - 1
	list := words[last]
	if last > 0 {
		list = strings.Join(words[:last], ", ") + " or " + list
	}
	if arities[last] > 1 {
		return list + " arguments"
	}
	return list + " argument"
}

func amount(n int) string {
	if n == 0 {
		return "no"
	}
	return strconv.Itoa(n)
}

// commaHint returns a hint for a call f(a, b) if only f(a; b) exists.
func commaHint(f *Func, arities []int) string {
	n := 0
	for _, arg := range f.Args {
		for n++; arg.Op == OpComma; arg = arg.Left {
			n++
		}
	}
	if n > len(f.Args) && slices.Contains(arities, n) {
		return `, arguments are separated by ";"`
	}
	return ""
}

// barewordHint returns a hint for a name that was probably meant as something else: a
// field with a dash, a variable without its $, a field without its dot, or a string
// without its quotes.
func (c *checker) barewordHint(name, field, hint string) string {
	switch {
	case field != "":
		return fmt.Sprintf(", a field with a dash is written .%q", field)
	case c.known("$" + name):
		return ", did you mean $" + name + "?"
	case hint == "":
		return fmt.Sprintf(", a field is written .%s, a string %q", name, name)
	}
	return hint
}

// dashed returns the word a-b and its offset if at is the position of b in the source
// .a-b.
func dashed(src string, at Span) (start int, word string) {
	start, end := at.Start, at.End
	for start > 0 && (isNamePart(src[start-1]) || src[start-1] == '-') {
		start--
	}
	if start == at.Start || start == 0 || src[start-1] != '.' || !isNameStart(src[start]) {
		return 0, ""
	}
	for end < len(src) && (isNamePart(src[end]) || src[end] == '-') {
		end++
	}
	return start, strings.TrimRight(src[start:end], "-")
}

func (c *checker) known(variable string) bool {
	return c.scope.has(variable) || c.given.Var(variable) || variable == "$ENV" || variable == "$__loc__"
}

func (c *checker) variable(name string, at Span) {
	if c.known(name) || c.full() {
		return
	}
	others := append([]string{"$ENV", "$__loc__"}, c.scope.names...)
	if n, ok := c.given.(interface{ Vars() []string }); ok {
		others = append(others, n.Vars()...)
	}
	hint := nearestName(others, "", name)
	if hint == "" && !strings.Contains(name, "::") && !strings.HasPrefix(name, "$__") {
		hint = ", did you mean ." + name[1:] + "?"
	}
	c.report(at, "variable not defined: %s%s", name, hint)
}

func (c *checker) label(t *Term) {
	if !c.scope.has("break "+t.Break) && !c.full() {
		c.report(t.Span, "label not defined: %s%s", t.Break, nearestName(c.scope.names, "break ", t.Break))
	}
}

// nearest returns the candidate with the lowest score, and false if no score is below
// limit. If several candidates have that score, the first one is returned. score returns
// false for a candidate that must not be chosen.
func nearest(candidates []string, limit int, score func(string) (int, bool)) (best string, ok bool) {
	for _, c := range candidates {
		if n, possible := score(c); possible && n < limit {
			best, limit, ok = c, n, true
		}
	}
	return best, ok
}

// Nearest returns the string in names that is most similar to name, or "" if none is
// similar. If several are equally similar, it returns the first one.
func Nearest(names []string, name string) string {
	best, _ := nearest(names, allowed(len(name))+1, func(other string) (int, bool) { return distance(other, name), true })
	return best
}

// nearestKey returns the key, from keys, that name/arity was probably meant to be. It
// prefers the key with the fewest typing errors; among these, it prefers one with the
// same number of arguments. keys must be sorted.
func nearestKey(keys []string, name string, arity int) (string, bool) {
	same := Key("", arity)
	return nearest(keys, 2*allowed(len(name))+2, func(key string) (int, bool) {
		other, _, _ := strings.Cut(key, "/")
		score := 2 * distance(other, name)
		if key[len(other):] != same {
			score++
		}
		return score, true
	})
}

// nearestName returns the variable, from others, that was probably meant. If prefix is
// "break ", it returns the label instead, as "break $x".
func nearestName(others []string, prefix, name string) string {
	others = slices.Sorted(slices.Values(others))
	best, ok := nearest(others, allowed(len(name)-1)+1, func(other string) (int, bool) {
		other, ok := strings.CutPrefix(other, prefix)
		return distance(other, name), ok && strings.HasPrefix(other, "$")
	})
	if !ok {
		return ""
	}
	return ", did you mean " + strings.TrimPrefix(best, prefix) + "?"
}

// allowed returns how many typing errors are tolerated in a name of n letters.
func allowed(n int) int {
	if n < 3 {
		return 0
	}
	return min((n+1)/3, 3)
}

// distance returns the number of typing errors between two words. An error is a letter
// that is missing, added, wrong, or swapped with the next one. Case doesn't count. If the
// lengths differ by more than 3, distance returns the difference of the lengths.
func distance(a, b string) int {
	if d := len(a) - len(b); d > 3 || d < -3 {
		return max(d, -d)
	}
	a, b = strings.ToLower(a), strings.ToLower(b)
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			d := last[j]
			if a[i] != b[j] {
				d++
			}
			d = min(d, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				d = min(d, before[j-1]+1)
			}
			row[j+1] = d
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
