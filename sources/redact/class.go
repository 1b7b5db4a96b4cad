package redact

// A Class is the rule by which the text of a field is redacted.
type Class uint8

// These are the classes. A field that no row of the table lists is Digested.
const (
	Digested Class = iota // the text is replaced by a keyed digest
	Kept                  // the text is kept, except recognizable secrets in it
	URL                   // the text is kept, except a URL's user information and query
	Word                  // the letters before the first colon are kept, and the rest is digested
	// the text is kept if neither the text nor the name that it belongs to
	// looks secret; a field of class Naming contains the name
	Matched
	Naming // the text is kept; it is the name to which the Matched fields of the same message belong
	// the text is kept; it names the owner of the metadata in the same message,
	// and that metadata is kept only if the owner is one of Istio's
	Owning
	Label       // the text is kept if the key of the label doesn't look secret
	Action      // the text is kept if it is in an Any inside the field
	Certificate // the text is kept if it consists of certificates and nothing else
	Variable    // the text is kept if it is a setting of istiod, and otherwise dropped
	Dropped     // the text is replaced by a fixed word
)

// Word returns what happens to a text of the class, in the documentation's words:
// "digested", "dropped" or "kept".
func (c Class) Word() string {
	switch c {
	case Digested:
		return "digested"
	case Dropped, Variable:
		return "dropped"
	}
	return "kept"
}

// Condition describes the condition under which the text of a class is kept.
func (c Class) Condition() string {
	switch c {
	case URL:
		return "user information and query are digested"
	case Word:
		return "its first word; the rest is digested"
	case Matched:
		return "unless its name looks secret, or it is 20 characters or longer and no plain words"
	case Label:
		return "unless the key looks secret"
	case Certificate:
		return "if it is PEM of certificates and nothing else; else digested"
	case Variable:
		return "but PILOT_* and ISTIO_* of istiod's own container"
	}
	return ""
}

// spreads reports whether a table row with this class applies to everything inside a
// field whose values are messages.
func (c Class) spreads() bool {
	switch c {
	case Digested, Dropped, Matched, Action, Certificate:
		return true
	}
	return false
}
