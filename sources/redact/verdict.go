package redact

import (
	"bytes"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// classed returns the class of the next text. all is true if the class comes from
// an enclosing field that applies it to everything inside.
func (r *Reader) classed() (c Class, all bool) {
	f, in := r.field, &inherited{}
	if n := len(r.stack); n > 0 {
		in = &r.stack[n-1].inherited
	}
	switch {
	case f.own:
		return f.class, false
	case in.isAll && in.all == Certificate:
		if f.class == Dropped {
			return Dropped, true
		}
		return Certificate, false
	case in.isAll:
		return in.all, true
	case f.chosen && in.chosen:
		return Kept, false
	case in.matched != unjudged && (f.class == Kept || f.class == URL):
		return Matched, false
	}
	return f.class, f.all
}

// text reads a string that is a value.
func (r *Reader) text() error {
	end, escaped, err := r.quoted()
	if err == errFull {
		c, _ := r.classed()
		if c != Dropped {
			c = Digested
		}
		if r.policy.asGiven {
			c = Kept
		}
		r.begin(c)
		return nil
	}
	if err != nil {
		return r.ends(err)
	}
	raw := r.win[r.at+1 : end]
	text := raw
	if escaped {
		var ok bool
		if text, ok = r.unescaped(raw); !ok {
			return r.broken("no JSON value", r.at)
		}
	}
	if len(text) > 0 {
		r.learn(text)
		if !r.policy.asGiven {
			r.judge(r.at+1, end, text, escaped)
		}
	}
	r.at = end + 1
	r.done()
	return nil
}

// judge keeps the text in win[from:to], or replaces all or a part of it,
// according to its class.
func (r *Reader) judge(from, to int, text []byte, escaped bool) {
	c, _ := r.classed()
	if isReplacement(text) || r.tells == typeName && isWord(text) && (bytes.IndexByte(text, '.') > 0 || !looksSecret(text)) {
		return
	}
	if c == Digested && isCommand(text) {
		return
	}
	keep := 0 // the number of bytes at the beginning that are kept
	switch c {
	case Kept, URL:
		if r.field.number {
			if isScalar(text) || isWord(text) && len(text) <= 64 && !r.field.figure {
				return
			}
			break
		}
		r.scrub(from, to, text, escaped, c == URL)
		return
	case Word:
		if keep = stateLength(text); keep == len(text) {
			return
		}
	case Matched:
		j := r.judged(&r.stack[len(r.stack)-1])
		if j == structure {
			r.scrub(from, to, text, escaped, true)
			return
		}
		if j == harmless && !looksSecret(text) {
			r.scrub(from, to, text, escaped, true)
			return
		}
	case Naming, Owning:
		r.scrub(from, to, text, escaped, false)
		return
	case Label:
		if r.keyed != sensitive {
			r.scrub(from, to, text, escaped, false)
			return
		}
	case Certificate:
		if isCertificates(text) {
			return
		}
	case Variable:
		f := &r.stack[len(r.stack)-1]
		if f.istiod && f.ours && !looksSecret(text) {
			return
		}
		c = Dropped
	}
	if escaped {
		keep = 0
	}
	if c != Dropped {
		c = Digested
	}
	r.put(from+keep, to, r.replacement(c, text[keep:]))
}

// replacement returns the digest or the fixed word that replaces a text.
func (r *Reader) replacement(c Class, text []byte) string {
	if c != Dropped {
		return r.digest(text)
	}
	r.found.Dropped++
	if r.field.bytes {
		return mesh.RedactedBytes
	}
	return mesh.Redacted
}

// scrub replaces the recognizable secrets in a text whose class keeps it.
func (r *Reader) scrub(from, to int, text []byte, escaped, url bool) {
	const longest = 4096 // length in bytes; longer texts aren't checked for being a name
	if len(text) > longest || containsSecret(text) {
		r.put(from, to, r.digest(text))
		return
	}
	parts := secretParts(text, url)
	if len(parts) > 0 && escaped {
		r.put(from, to, r.digest(text))
		return
	}
	for _, p := range parts {
		if part := text[p.from:p.to]; !isReplacement(part) {
			r.put(from+p.from, from+p.to, r.digest(part))
		}
	}
}

// learn processes a text that decides how other members of the same object are
// redacted.
func (r *Reader) learn(text []byte) {
	if len(r.stack) == 0 || r.tells == noMeaning && r.field.class != Naming && r.field.class != Owning {
		return
	}
	f := &r.stack[len(r.stack)-1]
	if r.field.class == Owning {
		f.named = judgeOwner(text)
	}
	if r.field.class == Naming {
		f.named = judgeName(text, Matched)
		f.ours = isSetting(text)
	}
	switch r.tells {
	case typeName:
		url := string(text)
		r.retype(f, url[strings.LastIndexByte(url, '/')+1:])
	case kindName:
		f.said().kind = string(text)
		r.rekind(f)
	case versionName:
		f.said().version = string(text)
		r.rekind(f)
	case containerName:
		f.istiod = isIstiod(text)
	case headerName:
		r.input = judgeName(text, Matched)
	}
}

// retype sets the schema of an object to the message that the object's type URL
// names. If the schemas don't have that message, the content of the object's fields
// counts as unknown.
func (r *Reader) retype(f *frame, name string) {
	if f.isAll {
		return
	}
	m := r.schema.message(name)
	switch {
	case m != nil:
		f.of = m
	case f.of == nil || f.of.any:
		f.of = nil
		f.at = openField
	}
	if strings.HasSuffix(name, "Input") {
		r.input = unjudged
	}
}

// rekind sets the schema of a Kubernetes object, once both its kind and its version
// have been read.
func (r *Reader) rekind(f *frame) {
	o := f.said()
	if o.kind == "" || o.version == "" || strings.HasSuffix(o.kind, "List") {
		return
	}
	group, _, grouped := strings.Cut(o.version, "/")
	if !grouped {
		group = ""
	}
	f.of = r.schema.message("object/" + o.kind + "." + group)
}

// said returns the kind and version of a Kubernetes object, as far as they have
// been read.
func (f *frame) said() *object {
	if f.object == nil {
		f.object = &object{}
	}
	return f.object
}
