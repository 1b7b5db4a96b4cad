package help

import (
	"strings"

	"github.com/meshq/kubectl-meshq/sources/redact"
)

// redactionPage is the table of what a snapshot has of whose text, as the code
// has it.
func redactionPage() string {
	var b strings.Builder
	b.WriteString(`
## What a snapshot has of whose text

Numbers, true, false, null and the names of members stay, but keys of free maps that look secret, and long numbers in what has
no schema. Text is kept where a row says so; the text of a field that no row names, of a message that no schema has, and of all
that a Struct holds, is digested. A row of a field with its message (HeaderValue:value) goes before one of the field alone. What
tells itself to be a secret (a key's PEM, a JSON web token, Bearer and Basic, known forms of tokens, user information of a URL) is
digested wherever it stands. A name looks secret with auth, token, key, secret, pass, cookie, session, credential or the like in it.

| in the snapshot | of which fields | why |
|---|---|---|
`)
	for _, r := range redact.Rows() {
		class := r.Class.Word()
		if condition := r.Class.Condition(); condition != "" {
			class += ": " + condition
		}
		b.WriteString("| " + class + " | `" + strings.Join(strings.Fields(r.Of), " ") + "` | " + r.Reason + " |\n")
	}
	return b.String()
}
