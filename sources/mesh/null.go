package mesh

import "time"

// OrNull returns a text, or null for the empty one.
func OrNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// TimeOrNull returns a time as the document writes it, in UTC with whole seconds
// (RFC 3339), or null for the zero time.
func TimeOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(time.RFC3339)
}
