package plugin

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/live"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// logName is the query whose arguments --level and --reset set something. No
// other does, whatever its arguments are called.
const logName = "log"

// A level is what a logger is set to.
type level struct{ logger, level string } // an empty logger is all of them

// readLevels reads "debug" or "http:debug,rbac:trace", as istioctl does: = is
// as good as :, and warn is warning. What is for all loggers comes first.
func readLevels(text string) (all []level, err error) {
	for part := range strings.SplitSeq(text, ",") {
		logger, word := "", strings.TrimSpace(part)
		if i := strings.LastIndexAny(word, ":="); i >= 0 {
			logger, word = strings.TrimSpace(word[:i]), strings.TrimSpace(word[i+1:])
			logger = logger[strings.LastIndexByte(logger, ':')+1:]
			if logger == "" {
				return nil, usage("--level %s: %q: which logger?", text, part)
			}
		}
		if word = strings.ToLower(word); word == "warn" {
			word = "warning"
		}
		if !slices.Contains(live.Levels(), word) {
			return nil, usage("--level %s: %q is none of %s", text, word, strings.Join(live.Levels(), ", "))
		}
		all = append(all, level{logger, word})
	}
	slices.SortStableFunc(all, func(a, b level) int { return min(1, len(a.logger)) - min(1, len(b.logger)) })
	return all, nil
}

// changesLevels tells whether levels are set, and to what; none where they are
// set as the proxies were started.
func (a *asked) changesLevels() (levels []level, changes bool, err error) {
	if !a.ours || a.named == nil || a.named.Name != logName {
		return nil, false, nil
	}
	text, given := a.arguments["level"].(string)
	reset, _ := a.arguments["reset"].(bool)
	switch {
	case given && reset:
		return nil, false, usage("--level and --reset: one of them")
	case given:
		levels, err = readLevels(text)
	}
	return levels, given || reset, err
}

// checkLevels holds what is to be set against the rest of the command line,
// before anybody is asked.
func (r *run) checkLevels() error {
	_, changes, err := r.asked.changesLevels()
	switch {
	case err != nil || !changes:
		return err
	case len(r.snapshots) > 0:
		return usage("--level, --reset: a recorded mesh can't be changed")
	case r.watch || r.await:
		return usage("--level, --reset: not again and again")
	case len(r.asked.proxies) == 0 && r.selector == "":
		return usage("--level, --reset: of which proxies? Name them, or say -l LABELS")
	}
	return nil
}

// setLevels sets the levels of the proxies that are asked about, if it is asked
// to, one proxy after the other. What can't be had of one is told with the
// other faults.
func (r *run) setLevels(ctx context.Context) error {
	levels, changes, err := r.asked.changesLevels()
	if err != nil || !changes {
		return err
	}
	v, err := mesh.Get(ctx, r.mesh.Document(), "proxies")
	if err == nil {
		v, err = mesh.Force(ctx, v)
	}
	all, _ := v.([]any)
	for _, p := range all {
		if err != nil {
			break
		}
		if o, ok := p.(*mesh.Object); ok {
			err = r.setLevelsOf(ctx, o, levels)
		}
		var fault *mesh.Fault
		if errors.As(err, &fault) && ctx.Err() == nil {
			r.fault(fault)
			err = nil
		}
	}
	return err
}

func (r *run) setLevelsOf(ctx context.Context, p *mesh.Object, levels []level) (err error) {
	if levels == nil {
		if levels, err = startLevels(ctx, p); err != nil {
			return err
		}
	}
	for _, l := range levels {
		if err := r.mesh.SetLevel(ctx, p, l.logger, l.level); err != nil {
			return err
		}
	}
	return nil
}

// startLevels are the levels that an Envoy was started with: its own words tell.
func startLevels(ctx context.Context, p *mesh.Object) ([]level, error) {
	v, err := mesh.Get(ctx, p, "server")
	if err == nil {
		v, err = mesh.Get(ctx, v, "commandLineOptions")
	}
	if err != nil {
		return nil, err
	}
	of, err := textOf(ctx, v, "logLevel")
	if err != nil {
		return nil, err
	}
	some, err := textOf(ctx, v, "componentLogLevel")
	if err != nil {
		return nil, err
	}
	text := of
	if text == "" {
		text = "info" // Envoy's own default
	}
	if some != "" {
		text += "," + some
	}
	return readLevels(text)
}
