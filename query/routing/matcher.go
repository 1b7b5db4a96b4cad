package routing

import (
	"slices"

	"github.com/meshq/kubectl-meshq/query/document"
)

// matcher evaluates the conditions of Envoy's configuration on one request. What
// it can't decide it adds to Answer.Unsupported.
type matcher struct {
	*document.Reader
	*Cache
	envoy            Envoy
	answer           *Answer
	ignoreParameters bool              // of the route configuration: ignorePathParametersInPathMatching
	unsaid           []string          // names of headers that Envoy sets itself, to values that are not known here
	digests          map[string]string // Request.Digests
	about            string            // what is compared
	hidden           string            // that it is compared with something that is not known
	doubt            string            // what the last condition that isn't sure depends on
}

func (c *matcher) unsupported(what string) {
	if !slices.Contains(c.answer.Unsupported, what) {
		c.answer.Unsupported = append(c.answer.Unsupported, what)
	}
}

// truth is what is known of a condition.
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

// sure tells whether a condition holds. Where it depends on what isn't known,
// doubt is what that is. The answer's own doubts are set aside meanwhile: one
// that was met before would not be added again, and the condition would pass as
// decided.
func (c *matcher) sure(holds func() bool) truth {
	before := c.answer.Unsupported
	c.answer.Unsupported = nil
	c.found()
	is := sure(holds())
	digest, doubts := c.found(), c.answer.Unsupported
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
