package shipped

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Type is the type of an argument's value.
type Type string

// The types of arguments.
const (
	Switch   Type = "switch"   // a flag without a value, true or false; declared as true|false=true, it is true unless it is switched off
	Text     Type = "text"     // a string
	Number   Type = "number"   // an integer or a decimal number
	Duration Type = "duration" // a string that within() accepts, such as 90s, 1h30m or 7d
	Choice   Type = "choice"   // one of several words; case doesn't matter
	Names    Type = "names"    // any number of given words, separated by commas, in one flag or several; no header can declare this type
)

// An Argument is an argument of a query. Users set it by a flag of the same
// name.
type Argument struct {
	Name    string // the flag's name without the dashes, such as all-states
	Short   string // a one-letter flag; empty if there is none
	Type    Type
	Takes   string   // the placeholder for the value, as in the header: NUMBER
	Choices []string // the allowed words of a Choice or of Names
	Default string   // the default, as a user would write it
	Given   bool     // whether there is a default
	Doc     string
}

// written matches a line of a header that declares an argument, such as
// "--port, -p NUMBER=80  the port".
var written = regexp.MustCompile(`^--(\S+?)(?:, -([A-Za-z]))?(?: ([^\s=]+)(?:=(\S*))?)?(?:\s{2,}(.*))?$`)

var flagged = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

func (h *header) argument(line string) error {
	m := written.FindStringSubmatch(line)
	if m == nil {
		return fmt.Errorf("%s: an argument is written --name TYPE=default, and two spaces before what it means", line)
	}
	a := Argument{Name: m[1], Short: m[2], Takes: m[3], Default: m[4], Given: strings.Contains(strings.TrimSuffix(line, m[5]), "="), Doc: m[5]}
	switch {
	case a.Takes == "":
		a.Type = Switch
	case a.Takes == "true|false":
		a.Type = Switch // unlike a switch without a placeholder, this one may have a default
	case a.Takes == "NUMBER":
		a.Type = Number
	case a.Takes == "DURATION":
		a.Type = Duration
	case strings.Contains(a.Takes, "|"):
		a.Type, a.Choices = Choice, strings.Split(a.Takes, "|")
	case a.Takes == strings.ToUpper(a.Takes):
		a.Type = Text
	default:
		return fmt.Errorf("--%s %s: what it takes is written in capitals, or as words with | between them", a.Name, a.Takes)
	}
	h.inArgs = true
	return h.add(a)
}

func (h *header) add(a Argument) error {
	switch {
	case !flagged.MatchString(a.Name):
		return fmt.Errorf("--%s: an argument's name is lower-case letters, digits and dashes", a.Name)
	case slices.ContainsFunc(h.Args, func(b Argument) bool { return a.Name == b.Name || a.Short != "" && a.Short == b.Short }):
		return fmt.Errorf("--%s: there are two such arguments", a.Name)
	}
	if a.Given {
		if _, err := a.Value(a.Default); err != nil {
			return fmt.Errorf("--%s: %w", a.Name, err)
		}
	}
	h.Args = append(h.Args, a)
	return nil
}

// Variable returns the name of the query's variable for the argument, without
// the $.
func (a Argument) Variable() string { return strings.ReplaceAll(a.Name, "-", "_") }

// Unset returns the argument's value if the user doesn't set it: the default,
// or else false for a switch and null for any other type.
func (a Argument) Unset() any {
	if a.Given {
		if v, err := a.Value(a.Default); err == nil { // add has checked the default
			return v
		}
	}
	if a.Type == Switch {
		return false
	}
	return nil
}

// Value converts what the user has written to the value of the query's
// variable.
func (a Argument) Value(text string) (any, error) {
	switch a.Type {
	case Switch:
		on, err := strconv.ParseBool(text)
		if err != nil {
			return nil, fmt.Errorf("%q is neither true nor false", text)
		}
		return on, nil
	case Number:
		if n, err := strconv.Atoi(text); err == nil {
			return n, nil
		}
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || f != f || f > 1e300 || f < -1e300 {
			return nil, fmt.Errorf("%q is no number", text)
		}
		return f, nil
	case Duration:
		if !isDuration(text) {
			return nil, fmt.Errorf("%q is no duration like 90s, 72h or 7d", text)
		}
	case Choice:
		i := slices.IndexFunc(a.Choices, func(c string) bool { return strings.EqualFold(c, text) })
		if i < 0 {
			return nil, fmt.Errorf("%q is none of %s", text, strings.Join(a.Choices, ", "))
		}
		return a.Choices[i], nil
	case Names:
		all := []any{}
		for _, name := range list(text) {
			if !slices.Contains(a.Choices, name) {
				return nil, &NameError{name, a.Choices}
			}
			all = append(all, name)
		}
		return all, nil
	}
	return text, nil
}

// A NameError reports a word that is not one of the names that an argument
// accepts.
type NameError struct {
	Name    string
	Choices []string
}

func (e *NameError) Error() string {
	return fmt.Sprintf("no check named %s; there are %s", e.Name, strings.Join(e.Choices, ", "))
}

// isDuration reports whether within() accepts a text, such as 90s, 1h30m, 7d or
// 7d12h.
func isDuration(text string) bool {
	if days, rest, ok := strings.Cut(text, "d"); ok {
		n, err := strconv.ParseFloat(days, 64)
		if err != nil || !(n >= 0 && n < 100_000) {
			return false
		}
		if text = rest; text == "" {
			return true
		}
	}
	d, err := time.ParseDuration(text)
	return err == nil && d >= 0
}
