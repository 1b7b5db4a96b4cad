package run

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/sources/live"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// LogName is the name of the query whose arguments --level and --reset set log
// levels. Arguments of the same names in other queries change nothing.
const LogName = "log"

// A Level is a log level for one logger, or for all loggers.
type Level struct{ Logger, Level string } // an empty Logger selects all loggers

// ReadLevels parses log levels such as "debug" or "http:debug,rbac:trace". As in
// istioctl, "=" may replace ":", and "warn" means "warning". The result begins with
// the level for all loggers, if there is one.
func ReadLevels(text string) (all []Level, err error) {
	for part := range strings.SplitSeq(text, ",") {
		logger, word := "", strings.TrimSpace(part)
		if i := strings.LastIndexAny(word, ":="); i >= 0 {
			logger, word = strings.TrimSpace(word[:i]), strings.TrimSpace(word[i+1:])
			logger = logger[strings.LastIndexByte(logger, ':')+1:]
			if logger == "" {
				return nil, process.Usagef("--level %s: %q: which logger?", text, part)
			}
		}
		if word = strings.ToLower(word); word == "warn" {
			word = "warning"
		}
		if !slices.Contains(live.Levels(), word) {
			return nil, process.Usagef("--level %s: %q is none of %s", text, word, strings.Join(live.Levels(), ", "))
		}
		all = append(all, Level{logger, word})
	}
	slices.SortStableFunc(all, func(a, b Level) int { return min(1, len(a.Logger)) - min(1, len(b.Logger)) })
	return all, nil
}

// changesLevels reports whether the request sets log levels, and returns these
// levels. For --reset it returns no levels, because each proxy gets back the
// levels with which it was started.
func (a *Request) changesLevels() (levels []Level, changes bool, err error) {
	if !a.Ours || a.named == nil || a.named.Name != LogName {
		return nil, false, nil
	}
	text, given := a.arguments["level"].(string)
	reset, _ := a.arguments["reset"].(bool)
	switch {
	case given && reset:
		return nil, false, process.Usagef("--level and --reset: one of them")
	case given:
		levels, err = ReadLevels(text)
	}
	return levels, given || reset, err
}

// checkLevels checks whether --level and --reset fit the rest of the command
// line. It is called before the first request is sent.
func checkLevels(r *Run) error {
	_, changes, err := r.Request.changesLevels()
	switch {
	case err != nil || !changes:
		return err
	case len(r.Snapshots) > 0:
		return process.Usagef("--level, --reset: a recorded mesh can't be changed")
	case r.Watch || r.Await:
		return process.Usagef("--level, --reset: not again and again")
	case len(r.Request.Proxies) == 0 && r.Selector == "" && r.Request.arguments["of"] != mesh.ZTunnel:
		// "zc log" without names sets the levels of all ztunnels, as in istioctl
		return process.Usagef("--level, --reset: of which proxies? Name them, or say -l LABELS")
	}
	return nil
}

// setLevels sets the log levels of the selected proxies, one proxy after another, if
// the request contains levels. If a proxy can't be reached, it records a fault and
// continues.
func setLevels(ctx context.Context, r *Run) error {
	levels, changes, err := r.Request.changesLevels()
	if err != nil || !changes {
		return err
	}
	v, err := mesh.Get(ctx, r.Mesh.Document(), "proxies")
	if err == nil {
		v, err = mesh.Force(ctx, v)
	}
	all, _ := v.([]any)
	of, isLimited := r.Request.arguments["of"].(string)
	some := 0
	for _, p := range all {
		if err != nil {
			break
		}
		o, ok := p.(*mesh.Object)
		if kind, _ := o.Member("type"); !ok || isLimited && kind != of {
			continue
		}
		some++
		err = setLevelsOf(ctx, r, o, levels)
		var fault *mesh.Fault
		if errors.As(err, &fault) && ctx.Err() == nil {
			r.Fault(fault)
			err = nil
		}
	}
	if err == nil && some == 0 && isLimited {
		return process.Usagef("--level, --reset: none of the proxies is a %s", of)
	}
	return err
}

func setLevelsOf(ctx context.Context, r *Run, p *mesh.Object, levels []Level) (err error) {
	if kind, _ := p.Member("type"); levels == nil && kind == mesh.ZTunnel {
		return r.Mesh.SetLevel(ctx, p, "", "")
	}
	if levels == nil {
		if levels, err = startLevels(ctx, p); err != nil {
			return err
		}
	}
	for _, l := range levels {
		if err := r.Mesh.SetLevel(ctx, p, l.Logger, l.Level); err != nil {
			return err
		}
	}
	return nil
}

// startLevels returns the log levels with which an Envoy was started, from its
// command line options.
func startLevels(ctx context.Context, p *mesh.Object) ([]Level, error) {
	v, err := mesh.Get(ctx, p, "server")
	if err == nil {
		v, err = mesh.Get(ctx, v, "commandLineOptions")
	}
	if err != nil {
		return nil, err
	}
	of, err := TextOf(ctx, v, "logLevel")
	if err != nil {
		return nil, err
	}
	some, err := TextOf(ctx, v, "componentLogLevel")
	if err != nil {
		return nil, err
	}
	text := of
	if text == "" {
		text = "info" // the default level of Envoy
	}
	if some != "" {
		text += "," + some
	}
	return ReadLevels(text)
}

// TextOf returns the value of a field of an object in the document. It returns "" if
// the value isn't a string.
func TextOf(ctx context.Context, o any, field string) (string, error) {
	v, err := mesh.Get(ctx, o, field)
	if err == nil {
		v, err = mesh.Force(ctx, v)
	}
	s, _ := v.(string)
	return s, err
}
