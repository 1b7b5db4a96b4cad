package graph

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// A traceFact is what a sequence diagram shows of a result of the function trace.
type traceFact struct {
	Proxy, Workload, Reason, RedirectTo string
	Status                              json.RawMessage

	Request struct{ Method, Scheme, Host, Path, Destination, Direction, Source string }
	Steps   []struct {
		Step, Name, Reason, Istio string
		Almost                    []struct{ Name, Why string }
	}
	Policies  []struct{ Action, Policy, Istio, Verdict string }
	Endpoints []struct {
		Address, Workload, Health, Transport, Cluster string
		Share                                         *float64
	}
	Outcomes []struct {
		Share  float64
		Reason string
	}
	Unknowns []struct{ What, Why string }
	Retries  *struct {
		Attempts float64
		On       string
	}
	Through []traceFact
}

// WriteSequence writes a trace, as JSON, as a sequence diagram of Mermaid: the
// client, its proxy with the steps that it decides, and the endpoints. Traces
// through other proxies follow.
func WriteSequence(w io.Writer, trace []byte) error {
	var t traceFact
	if err := json.Unmarshal(trace, &t); err != nil {
		return fmt.Errorf("trace: %w", err)
	}
	s := &sequence{ids: map[string]string{}}
	s.trace(&t, "")
	_, err := io.WriteString(w, "sequenceDiagram\n  autonumber\n"+s.who.String()+s.what.String())
	return err
}

type sequence struct {
	ids       map[string]string
	who, what strings.Builder
}

// participant returns the id of a participant, and declares it first.
func (s *sequence) participant(label string) string {
	id, ok := s.ids[label]
	if !ok {
		id = fmt.Sprintf("p%d", len(s.ids))
		s.ids[label] = id
		fmt.Fprintf(&s.who, "  participant %s as %s\n", id, sequenceText(label))
	}
	return id
}

func (s *sequence) trace(t *traceFact, from string) {
	client := from
	if t.Workload != "" && t.Proxy == "" { // a workload outside of the mesh sends by itself
		t.Proxy = t.Workload
	}
	if client == "" && t.Workload != "" && t.Request.Direction != "inbound" {
		client = t.Workload
	}
	if client == "" {
		client = "client"
		if t.Request.Direction != "inbound" && t.Request.Source != "" {
			client = "workload of " + t.Proxy
		}
	}
	a, b := s.participant(client), s.participant(t.Proxy)
	to := t.Request.Host
	if to == "" {
		to = t.Request.Destination
	}
	request := strings.TrimSpace(t.Request.Method + " " + t.Request.Scheme + "://" + to + t.Request.Path)
	fmt.Fprintf(&s.what, "  %s->>%s: %s\n", a, b, sequenceText(request))
	for _, step := range t.Steps {
		text := strings.TrimSpace(step.Step + " " + step.Name)
		if step.Istio != "" {
			text += " (" + step.Istio + ")"
		}
		fmt.Fprintf(&s.what, "  Note over %s: %s\n", b, sequenceText(text))
	}
	for _, p := range t.Policies {
		fmt.Fprintf(&s.what, "  Note over %s: %s\n", b, sequenceText(strings.Join(strings.Fields(p.Action+" "+p.Policy+" "+p.Istio), " ")+": "+p.Verdict))
	}
	for _, e := range t.Endpoints {
		label := e.Workload
		if label == "" {
			label = e.Address
		}
		text := e.Address
		if e.Share != nil {
			text += " " + percent(*e.Share)
		}
		if e.Transport != "" {
			text += " " + e.Transport
		}
		arrow := "->>"
		switch e.Health {
		case "UNHEALTHY", "TIMEOUT", "DRAINING":
			arrow, text = "-x", text+" "+e.Health
		}
		fmt.Fprintf(&s.what, "  %s%s%s: %s\n", b, arrow, s.participant(label), sequenceText(text))
	}
	for _, o := range t.Outcomes {
		if o.Reason == "" {
			continue
		}
		text := o.Reason
		if o.Share < 1 {
			text = percent(o.Share) + " " + text
		}
		if status := strings.Trim(string(t.Status), `"`); status != "" && status != "null" {
			text += " " + status
		}
		fmt.Fprintf(&s.what, "  %s--x%s: %s\n", b, a, sequenceText(text))
	}
	for _, u := range t.Unknowns {
		fmt.Fprintf(&s.what, "  Note over %s: %s\n", b, sequenceText("unknown: "+u.What+": "+u.Why))
	}
	for i := range t.Through {
		s.trace(&t.Through[i], t.Proxy)
	}
}

// sequenceText quotes a text for a sequence diagram, where the line ends it. A
// semicolon and a number sign would end a statement or begin an entity.
func sequenceText(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case strings.ContainsRune("#;<>\"%&\\`{}|", r):
			fmt.Fprintf(&b, "#%d;", r)
		case r < ' ':
			b.WriteByte(' ')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
