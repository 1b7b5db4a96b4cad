package redact

// A frame is an array or object that the reader is in.
type frame struct {
	array   bool
	rule    rule // of the member that it is; an array's holds for its elements
	warm    bool // as grammar's
	answers [2]answer
	flag    bool // of a command: the last word is one whose value comes

	mood
}

// A question is one about an object that one of its members answers.
type question uint8

const (
	isPair       question = iota // is the value beside the name a secret?
	isKubeSecret                 // is it a Secret of Kubernetes?
)

// An answer is that to a question.
type answer uint8

const (
	unknown answer = iota
	hot            // yes
	cold           // no
)

// A mood is what holds for all that is below.
type mood struct {
	inline Kinds  // what is given inline is a secret of that kind
	all    rule   // every string is a secret, if it has a kind
	owner  int    // every string is data of that object, counted from 1
	exact  bool   // what a header must be is a secret
	names  bool   // variables with sensitive names are secrets
	list   answer // the items are Secrets
}

// push begins an array or object.
func (r *Reader) push(array bool) error {
	if len(r.stack) == maxDepth {
		return r.broken("nested too deeply", r.at)
	}
	f := frame{array: array, rule: r.rule, warm: r.warm}
	within := plain // the role of what this is in
	if n := len(r.stack); n > 0 {
		f.mood = r.stack[n-1].mood
		within = r.stack[n-1].rule.role
		r.influence(&f, within, n)
	}
	if f.rule.role == items && !array {
		f.answers[isKubeSecret] = f.list
	}
	r.stack = append(r.stack, f)
	r.tag = untagged
	r.at++
	if r.want = nameOrEnd; array {
		r.want = valueOrEnd
	}
	return nil
}

// influence changes the mood by what a frame is; n is its place on the stack.
func (r *Reader) influence(f *frame, within role, n int) {
	parent := &r.stack[n-1]
	switch f.rule.role {
	case secret:
		f.inline = f.rule.kinds
		f.exact = f.rule.kinds == Tokens
	case inlined:
		f.inline = f.rule.kinds
	case matcher:
		f.exact = f.exact || parent.answers[isPair] == hot
	case variables:
		f.names = true
	case metadata:
		f.names = f.names || within == node || within == clients
	case labels:
		f.names = false
	case data:
		if parent.rule.role != data && r.mayBeSecret(parent, n) {
			f.owner, f.all.bytes = n, f.rule.bytes
		}
	}
	if f.warm {
		f.all = rule{kinds: Tokens}
	}
}

// mayBeSecret tells whether an object whose data comes may be a Kubernetes
// Secret: it said so, or is where Kubernetes' objects are and has said nothing.
func (r *Reader) mayBeSecret(f *frame, n int) bool {
	told := f.answers[isKubeSecret]
	return !f.array && (told == hot || told == unknown && (n == 1 || f.rule.role == items))
}

// pop ends an array or object. What it has not said by now, it does not say:
// a pair without a name is none, and an object of a list that does not say of
// what may be a Secret.
func (r *Reader) pop() error {
	n := len(r.stack) - 1
	f := &r.stack[n]
	if len(r.pending) > 0 {
		told := f.answers[isKubeSecret]
		r.decide(n, isPair, f.answers[isPair] == hot)
		r.decide(n, isKubeSecret, told == hot || told == unknown && f.rule.role == items)
	}
	r.stack = r.stack[:n]
	r.at++
	r.done()
	return nil
}
