package redact

// A Class is what is done with the text of a field.
type Class uint8

// The classes. Where a row says nothing of a field, its text is digested.
const (
	Digested    Class = iota // a keyed digest stands for it
	Kept                     // it stays, without what tells itself to be a secret
	URL                      // it stays, but for user information and query
	Word                     // it stays to the first colon or space
	Matched                  // it stays where neither the name it is matched under nor itself looks secret
	Naming                   // it stays, and is the name that what is beside it is matched under
	Owning                   // it stays, and is the owner of what is beside it: only Istio's own is looked at
	Label                    // it stays where its key doesn't look secret
	Action                   // a text in an Any there stays
	Certificate              // it stays where it is certificates, and nothing else
	Variable                 // it stays where it is a setting of istiod's, else is dropped
	Dropped                  // a fixed word stands for it
)

// Word names what a snapshot has of a class, as the documentation does.
func (c Class) Word() string {
	switch c {
	case Digested:
		return "digested"
	case Dropped, Variable:
		return "dropped"
	}
	return "kept"
}

// Condition says on what it depends that the text of a class is kept.
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

// spreads tells whether a row with the class says something of all that is in
// the messages at a field.
func (c Class) spreads() bool {
	switch c {
	case Digested, Dropped, Matched, Action, Certificate:
		return true
	}
	return false
}
