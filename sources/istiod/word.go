package istiod

import (
	"strconv"
	"strings"
	"time"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// Word returns the sync state of a type to which the proxy subscribes. It applies
// the same rule as istiod's own status generator.
func (t *TypeStatus) Word() string {
	switch {
	case t.Error != "":
		return mesh.InError
	case t.Sent == "":
		return mesh.NotSent
	case t.Acked == t.Sent:
		return mesh.Synced
	}
	return mesh.Stale
}

// severity orders the states of two types that the document shows as one type. It
// shows the worse state.
func (t *TypeStatus) severity() int {
	switch t.Word() {
	case mesh.InError:
		return 3
	case mesh.Stale:
		return 2
	case mesh.NotSent:
		return 1
	}
	return 0
}

// Word returns the sync state of a type, given the type's key, such as "cds". The
// state is IGNORED if the proxy doesn't subscribe to the type, and UNKNOWN if s is
// nil.
func (s *Status) Word(key string) string {
	if s == nil {
		return mesh.Unknown
	}
	for i := range s.Types {
		if s.Types[i].Key == key {
			return s.Types[i].Word()
		}
	}
	return mesh.Ignored
}

// Sync returns the value of a proxy's field "sync". For each type the value has an
// object {status, sent, acked, sentAt, age, pushesBehind, error}, and also percent
// if an old istiod reports it for EDS. sent and acked are push versions of the form
// "time/counter". age is the number of seconds since the push, at the time now. An
// unknown value is null. s may be nil.
func (s *Status) Sync(now time.Time) *object.Object {
	out := object.New(0)
	none := mesh.Unknown
	if s != nil {
		none = mesh.Ignored
		for i := range s.Types {
			out.Set(s.Types[i].Key, s.Types[i].object(now))
		}
	}
	var empty *object.Object
	for _, t := range mesh.SyncTypes() {
		if _, ok := out.Lookup(t.Key); ok {
			continue
		}
		if empty == nil {
			empty = (&TypeStatus{}).object(now)
			empty.Set("status", none)
		}
		out.Set(t.Key, empty)
	}
	return out
}

func (t *TypeStatus) object(now time.Time) *object.Object {
	m := object.Of(
		"status", t.Word(), "sent", mesh.OrNull(pushVersion(t.Sent)), "acked", mesh.OrNull(pushVersion(t.Acked)),
		"sentAt", nil, "age", nil, "pushesBehind", nil, "error", mesh.OrNull(t.Error),
	)
	if t.Percent != nil {
		m.Set("percent", *t.Percent)
	}
	if !t.SentAt.IsZero() {
		at := t.SentAt.UTC().Truncate(time.Second)
		m.Set("sentAt", at.Format(time.RFC3339))
		m.Set("age", int(now.Sub(at)/time.Second))
	}
	if n, ok := t.PushesBehind(); ok {
		m.Set("pushesBehind", n)
	}
	return m
}

// PushesBehind returns the number of pushes between the last accepted one and the
// last sent one. ok is false if the two can't be compared, because nothing was sent
// or accepted yet, or because istiod was restarted in between.
func (t *TypeStatus) PushesBehind() (n int, ok bool) {
	if t.Sent == "" || t.Acked == "" {
		return 0, false
	}
	if t.Sent == t.Acked {
		return 0, true
	}
	sent, ok1 := pushCount(t.Sent)
	acked, ok2 := pushCount(t.Acked)
	return sent - acked, ok1 && ok2 && sent >= acked
}

// uuidLen is the length of the UUID that istiod appends to a push version to make a
// nonce.
const uuidLen = 36

// pushVersion returns the push version at the start of a nonce. It returns the nonce
// unchanged if it contains no version, as the nonces of old istiods.
func pushVersion(nonce string) string {
	if n := len(nonce) - uuidLen; n > 0 && strings.Contains(nonce[:n], "/") {
		return nonce[:n]
	}
	return nonce
}

// pushCount returns the counter in the push version ("time/counter") of a nonce.
func pushCount(nonce string) (int, bool) {
	v := pushVersion(nonce)
	if len(v) == len(nonce) {
		return 0, false
	}
	n, err := strconv.Atoi(v[strings.LastIndexByte(v, '/')+1:])
	return n, err == nil && n >= 0
}
