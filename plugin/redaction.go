package plugin

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/sources/redact"
)

// redaction returns the options for redaction that the flags select.
func (s *snapshot) redaction(ctx context.Context, w *process.World) (r redact.Options, err error) {
	switch s.redact {
	case "harmless":
	case "envoy":
		if s.key != "" || len(s.keep) > 0 {
			return r, process.Usagef("--redact envoy: everything is taken as it is given; --redact-key and --keep say how else")
		}
		r.AsGiven = true
		return r, s.confirm(w)
	default:
		return r, process.Usagef("--redact %s: it is harmless or envoy", s.redact)
	}
	if s.yes {
		return r, process.Usagef("--yes: only --redact envoy asks")
	}
	r.Keep = s.keep
	if err := r.Check(); err != nil {
		return r, process.Usagef("--keep %s", err)
	}
	if s.key == "" {
		return r, nil
	}
	if r.Key, err = readKey(ctx, s.key); err == nil {
		if err = r.Check(); err != nil {
			err = process.Usagef("--redact-key %s: %s", s.key, err)
		}
	}
	return r, err
}

// readKey reads the key for digests from a file. The newline at the end is not part
// of the key.
func readKey(ctx context.Context, path string) ([]byte, error) {
	text, err := process.ReadWhole(ctx, path)
	if err != nil {
		if ctx.Err() == nil {
			err = process.Usagef("--redact-key %s: %s", path, process.Fact(err))
		}
		return nil, err
	}
	return append([]byte{}, bytes.TrimRight(text, "\r\n")...), nil
}

// confirm asks the user whether the snapshot may contain secrets. If there is no
// terminal, the flag --yes is required instead.
func (s *snapshot) confirm(w *process.World) error {
	if s.yes {
		return nil
	}
	if !w.InTerminal || !w.ErrTerminal {
		return process.Usagef("--redact envoy: the file will have free text in it, which may be passwords and tokens; nobody can be asked here: --yes says that it may")
	}
	fmt.Fprintf(w.Err, "%s will have free text in it as Envoy and the API server give it, which may be passwords and tokens. Go on? (y/N) ", w.Near(s.file))
	answer, err := bufio.NewReader(io.LimitReader(w.In, 64)).ReadString('\n')
	if err != nil && err != io.EOF {
		return err
	}
	if a := strings.ToLower(strings.TrimSpace(answer)); a != "y" && a != "yes" {
		return process.Usagef("--redact envoy: not confirmed, nothing was written")
	}
	return nil
}

// digests maps texts of a request to their digests. The texts are those that Envoy
// compares with the texts in a matcher: the values of headers, cookies and query
// parameters. A snapshot that was made with the same key contains the digests in
// place of such texts.
func digests(key []byte, to string, headers map[string][]string) map[string]string {
	out := map[string]string{}
	add := func(text string) { out[text] = redact.Digest(key, text) }
	for _, values := range headers {
		add(strings.Join(values, ","))
		for _, v := range values {
			add(v)
			for part := range strings.SplitSeq(v, ";") {
				if _, cookie, ok := strings.Cut(part, "="); ok {
					add(strings.Trim(cookie, " \t"))
				}
			}
		}
	}
	if u, err := url.Parse(to); err == nil {
		for pair := range strings.SplitSeq(u.RawQuery, "&") {
			if _, v, ok := strings.Cut(pair, "="); ok {
				add(v)
			}
		}
	}
	return out
}
