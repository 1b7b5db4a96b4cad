package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
)

// A cost is what answering a question costs a real Envoy, as test/e2e/cmd/mesh prints it.
type cost struct {
	Question string
	Asked    int
	Bytes    int
	Millis   float64
}

// envoyPart starts a real mesh with 1,000 services, and measures what the plugin's requests cost its Envoy.
func (b *bench) envoyPart(ctx context.Context) error {
	const title = "What questions cost a real Envoy of 1,000 services"
	if b.mesh == "" {
		b.report.add(table{title: title, note: "Not measured: the programs of the real mesh aren't built (`make e2e` builds them)."})
		return nil
	}
	cmd := exec.CommandContext(ctx, b.mesh, "cost", "--plugin", b.plugin)
	cmd.Dir, cmd.Stderr = b.meshRoot, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%s: %w", b.mesh, err)
	}
	var all []cost
	if err := json.Unmarshal(out, &all); err != nil || len(all) < 4 {
		return fmt.Errorf("%s: %.100q: %w", b.mesh, out, err)
	}
	b.report.add(costTable(title, all))
	full := all[0]
	for _, c := range all[1:4] {
		bytes, millis := float64(full.Bytes)/float64(c.Bytes), full.Millis/c.Millis
		b.report.addGoal(c.Question+", a real Envoy of 1,000 services", "≤ 1/50 of a full dump's bytes", bytes >= 50, "1/%.0f (%s)", bytes, megabytes(int64(c.Bytes)))
		b.report.addGoal(c.Question+", a real Envoy of 1,000 services", "≤ 1/50 of the time that a full dump blocks it", millis >= 50, "1/%.0f (%.1f ms)", millis, c.Millis)
	}
	return nil
}

func costTable(title string, all []cost) table {
	t := table{
		title: title, head: []string{"question", "requests to it", "bytes", "time", "of the full dump's time"},
		note: "The admin port answers in Envoy's main thread, which does nothing else until the answer is written.",
	}
	for _, c := range all {
		t.rows = append(t.rows, []string{c.Question, fmt.Sprint(c.Asked), megabytes(int64(c.Bytes)), fmt.Sprintf("%.1f ms", c.Millis), fmt.Sprintf("1/%.0f", all[0].Millis/c.Millis)})
	}
	return t
}
