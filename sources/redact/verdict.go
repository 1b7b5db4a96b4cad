package redact

import "bytes"

// A verdict is what is done with a string.
type verdict uint8

const (
	leave verdict = iota
	wait          // until its owner says what it is
	take
	comb // it is a word of a command
)

// A judgement is a verdict and what comes of it.
type judgement struct {
	verdict verdict
	rule    rule
	owner   int // for whom to wait: its place on the stack
	of      question
}

// text reads a string that is a value.
func (r *Reader) text() error {
	end, _, err := r.quoted()
	if err == errFull {
		r.textBegins(r.judge(nil))
		return nil
	}
	if err != nil {
		return r.ends(err)
	}
	text := r.win[r.at+1 : end]
	if len(text) > 0 {
		switch j := r.judge(text); j.verdict {
		case take:
			r.replace(r.at+1, end, j.rule)
		case wait:
			r.hold(r.at+1, end, j)
		case comb:
			r.comb(r.at+1, end)
		case leave:
			r.scrub(r.at+1, end)
		}
	}
	r.at = end + 1
	r.done()
	return nil
}

// textBegins begins a string that is too large for the window, and so to wait.
func (r *Reader) textBegins(j judgement) {
	r.long = &long{scrub: j.verdict == leave, first: true}
	r.at++
	if !r.long.scrub {
		r.replace(r.at, r.at, j.rule)
	}
}

// scrub takes out of win[from:to], a string, what tells itself.
func (r *Reader) scrub(from, to int) {
	if isPackedKey(r.win[from:to]) {
		r.replace(from, to, rule{kinds: PrivateKeys, bytes: true})
		return
	}
	for {
		p, ok := find(r.win[from:to], to-from)
		if !ok {
			return
		}
		r.replace(from+p.from, from+p.to, rule{kinds: p.kinds})
		from += p.to
	}
}

// judge says what is done with a string; text is nil when it is too large to
// be looked at whole.
func (r *Reader) judge(text []byte) judgement {
	if len(r.stack) == 0 {
		return judgement{}
	}
	n := len(r.stack) - 1
	f := &r.stack[n]
	switch {
	case f.owner > 0:
		return r.ask(f.owner-1, isKubeSecret, rule{kinds: Secrets, bytes: f.all.bytes})
	case f.all.kinds != 0:
		return judgement{verdict: take, rule: f.all}
	case r.warm, r.tag.takes(text):
		return judgement{verdict: take, rule: rule{kinds: Tokens}}
	case f.arguments():
		return f.judgeArgument(text)
	}
	switch ru := r.rule; ru.role {
	case secret, applied:
		return judgement{verdict: take, rule: ru}
	case inline:
		if f.inline != 0 {
			return judgement{verdict: take, rule: rule{kinds: f.inline, bytes: ru.bytes}}
		}
	case exact:
		if f.exact {
			return judgement{verdict: take, rule: ru}
		}
	case pairKey:
		return r.judgeKey(f, n, text)
	case pairValue:
		if f.rule.role == env {
			return judgement{verdict: take, rule: rule{kinds: Environment}}
		}
		if !f.array {
			return r.ask(n, isPair, ru)
		}
	case kind:
		r.judgeKind(f, n, text)
	}
	return judgement{}
}

// ask makes a verdict of what a frame answers.
func (r *Reader) ask(owner int, of question, ru rule) judgement {
	j := judgement{rule: ru, owner: owner, of: of}
	switch r.stack[owner].answers[of] {
	case hot:
		j.verdict = take
	case unknown:
		j.verdict = wait
	}
	return j
}

// judgeKey looks at the name of a pair. Of several names one is enough.
func (r *Reader) judgeKey(f *frame, n int, text []byte) judgement {
	if f.rule.role == credential && r.rule.kinds != 0 {
		return judgement{verdict: take, rule: rule{kinds: Tokens}}
	}
	if !f.array && f.answers[isPair] != hot {
		r.decide(n, isPair, isHeader(text))
	}
	return judgement{}
}

// judgeKind looks at the kind of a Kubernetes object, or of a list.
func (r *Reader) judgeKind(f *frame, n int, text []byte) {
	const list = "List"
	switch {
	case f.array:
	case string(text) == "Secret":
		r.decide(n, isKubeSecret, true)
	case string(text) == "Secret"+list:
		f.list = hot
	case string(text) == list: // of anything
	case bytes.HasSuffix(text, []byte(list)):
		f.list = cold
	case f.answers[isKubeSecret] != hot:
		r.decide(n, isKubeSecret, false)
	}
}
