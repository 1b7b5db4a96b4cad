package mesh

import "testing"

func TestIsDigest(t *testing.T) {
	for text, want := range map[string]bool{
		"redacted:0123456789abcdef": true, "redacted:0123456789abcde": false, "redacted:0123456789abcdef0": false, "redacted:0123456789ABCDEF": false,
		"redacted:0123456789abcdeg": false, "Redacted:0123456789abcdef": false, "": false, Redacted: false,
	} {
		if IsDigest(text) != want || IsDigest([]byte(text)) != want {
			t.Errorf("%q: %t", text, !want)
		}
	}
}
