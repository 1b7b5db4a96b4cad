package help

import (
	"strings"

	"github.com/meshq/kubectl-meshq/sources/redact"
)

// redactionPage returns the manual's table of the texts that a snapshot keeps
// or digests. The table is generated from the rows of package redact.
func redactionPage() string {
	var b strings.Builder
	b.WriteString(`
## Which text a snapshot keeps

Numbers, true, false, null and the names of members are kept, except keys of free maps that look like secrets, and long numbers of
values without a schema. Text is kept if a row of this table says so. The text of any other field, of a message without a schema,
and of a Struct is digested. A row for a field of a message (HeaderValue:value) takes precedence over one for the field alone. Text
that is recognizable as a secret (PEM of a key, a JSON web token, Bearer and Basic, known forms of tokens, user information of a
URL) is always digested. A name looks like a secret if it contains auth, token, key, secret, pass, cookie, session, credential or
the like.

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
