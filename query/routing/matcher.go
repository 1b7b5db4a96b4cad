package routing

import (
	"slices"

	"github.com/meshq/kubectl-meshq/query/document"
)

// matcher evaluates the conditions of Envoy's configuration on one request. It
// adds what it can't decide to Answer.Unsupported.
type matcher struct {
	*document.Reader
	*Cache
	envoy            Envoy
	answer           *Answer
	ignoreParameters bool              // ignorePathParametersInPathMatching of the route configuration
	unknownHeaders   []string          // the headers that Envoy sets itself to values that are not known here
	digests          map[string]string // Request.Digests
	comparing        string            // the name of the value that is being compared, for messages
	redacted         string            // the redacted value that the comparison depends on; see noteRedacted
	doubt            string            // the unknown thing that the last result maybe depends on
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

// sure evaluates a condition. If the result depends on something unknown, it
// returns maybe and sets doubt to the unknown thing. Meanwhile it empties
// Answer.Unsupported: an entry that is there already would not be added again,
// and the condition would count as decided.
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
