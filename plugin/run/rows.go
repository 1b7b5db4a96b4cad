package run

import (
	"context"
	"crypto/sha256"
	"io"
	"strings"

	"github.com/meshq/kubectl-meshq/printers"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// rows has the results of the last two runs of a watched query, so that only new and
// changed results are printed. A result is compared with earlier results of the same
// subject. A result without a subject, such as a number, is new if the previous run
// didn't return it.
type rows struct {
	before, now map[string]map[content]int
}

// A content is a hash of a result's printed text.
type content [sha256.Size]byte

// seen identifies a result by its subject and its content.
type seen struct {
	of   string
	says content
}

// add records a result, and reports whether the previous run returned the same
// result.
func (r *rows) add(s seen) (known bool) {
	if r.now[s.of] == nil {
		r.now[s.of] = map[content]int{}
	}
	r.now[s.of][s.says]++
	return r.now[s.of][s.says] <= r.before[s.of][s.says]
}

// begin starts a new run of the query.
func (r *rows) begin() { r.now = map[string]map[content]int{} }

// end finishes a run of the query. If the run could not read the whole mesh,
// subjects without results count as unchanged.
func (r *rows) end(whole bool) {
	if whole || r.before == nil {
		r.before = r.now
		return
	}
	for of, says := range r.now {
		r.before[of] = says
	}
}

// A sight computes the subject and the content of results. The content is a hash of
// the printed text without ages, which change all the time.
type sight struct {
	options printers.Options
	lasting printers.Lasting // the printer of all results; nil if each result needs its own printer
}

func newSight(o printers.Options) (*sight, error) {
	o.Out, o.Note, o.Ageless, o.NoHeaders, o.Color = nil, nil, true, true, false
	p, err := printers.New(o)
	lasting, _ := p.(printers.Lasting)
	return &sight{o, lasting}, err
}

// see returns the subject and the content of a result. Several goroutines may call
// it at once.
func (s *sight) see(ctx context.Context, v any) (seen, error) {
	// faults are ignored here, because rendering the result for printing
	// reports them
	ctx = mesh.WithLost(ctx, func(*mesh.Fault) {})
	hash := sha256.New()
	err := s.write(ctx, hash, v)
	out := seen{of: subject(ctx, v)}
	hash.Sum(out.says[:0])
	return out, err
}

func (s *sight) write(ctx context.Context, out io.Writer, v any) error {
	if s.lasting != nil {
		rendered, err := s.lasting.Render(ctx, v)
		if err != nil {
			return err
		}
		return s.lasting.Says(out, rendered)
	}
	o := s.options
	o.Out = out
	p := &oneByOne{options: o}
	rendered, err := p.Render(ctx, v)
	if err != nil {
		return err
	}
	return p.Print(rendered)
}

// subject returns a text that identifies the object of a result: its kind, its proxy
// and its names. It returns "" for a result without a name.
func subject(ctx context.Context, v any) string {
	var parts []string
	if o, ok := v.(*mesh.Object); ok {
		if p := o.Proxy(); p != nil && p != o {
			parts = append(parts, subject(ctx, p))
		}
	}
	v, _ = mesh.Force(ctx, v) // the result is rendered already, so Force sends no request
	fields, _ := v.(*object.Object)
	about, _ := fields.Get("metadata").(*object.Object)
	named := false
	for _, key := range []string{"kind", "context", "clusterID", "namespace", "id", "name", "address", "state"} {
		text, _ := fields.Get(key).(string)
		if text == "" {
			text, _ = about.Get(key).(string)
		}
		named = named || text != "" && (key == "id" || key == "name" || key == "address")
		parts = append(parts, text)
	}
	if !named {
		return ""
	}
	return strings.Join(parts, "\x00")
}

// oneByOne is a printer that prints each result on its own, in formats that would
// otherwise collect all results in a list.
type oneByOne struct {
	options printers.Options
	between string
	printed bool
}

// alone is a rendered result together with its own printer.
type alone struct {
	printer  printers.Printer
	rendered any
}

// Render renders a result with a new printer.
func (p *oneByOne) Render(ctx context.Context, v any) (any, error) {
	one, err := printers.New(p.options)
	if err != nil {
		return nil, err
	}
	rendered, err := one.Render(ctx, v)
	return alone{one, rendered}, err
}

// Print prints a result with its own printer and closes that printer.
func (p *oneByOne) Print(rendered any) error {
	if p.printed && p.between != "" {
		if _, err := p.options.Out.Write([]byte(p.between)); err != nil {
			return err
		}
	}
	p.printed = true
	one := rendered.(alone)
	if err := one.printer.Print(one.rendered); err != nil {
		return err
	}
	return one.printer.Close()
}

// Close does nothing, because Print closes the printer of each result.
func (p *oneByOne) Close() error { return nil }
