package routing

import (
	"slices"

	"github.com/meshq/kubectl-meshq/query/document"
)

// A matcher evaluates the conditions in Envoy's configuration for one request. If
// it can't decide a condition, it adds a note to Answer.Unsupported.
type matcher struct {
	*document.Reader
	*Cache
	envoy            Envoy
	answer           *Answer
	ignoreParameters bool // from the route configuration: ignorePathParametersInPathMatching
	// the names of headers to which Envoy assigns a value that this package
	// can't determine
	unknownHeaders []string
	digests        map[string]string // the digests of texts in the request; see Request.Digests
	comparing      string            // the name of the value that is currently compared, for messages
	redacted       string            // the redacted value on which the current comparison depends; see noteRedacted
	// if the last result was maybe, a description of the unknown value on which
	// it depends
	doubt string
}

func (c *matcher) unsupported(what string) {
	if !slices.Contains(c.answer.Unsupported, what) {
		c.answer.Unsupported = append(c.answer.Unsupported, what)
	}
}

// truth is the result of a condition whose inputs may be unknown.
type truth int

const (
	no truth = iota
	maybe
	yes
)

func sure(b bool) truth {
	if b {
		return yes
	}
	return no
}

// sure evaluates a condition. If the result depends on an unknown value, sure
// returns maybe and stores a description of that value in doubt.
// Answer.Unsupported is cleared during the evaluation: a note that it already
// contains wouldn't be added again, and the condition would seem to be decided.
func (c *matcher) sure(holds func() bool) truth {
	before := c.answer.Unsupported
	c.answer.Unsupported = nil
	c.takeRedacted()
	is := sure(holds())
	digest, doubts := c.takeRedacted(), c.answer.Unsupported
	c.answer.Unsupported = before
	switch {
	case digest != "" && is != yes:
		c.doubt = digest
		return maybe
	case len(doubts) > 0:
		c.doubt = doubts[0]
		return maybe
	}
	return is
}
