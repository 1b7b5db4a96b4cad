package live

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/meshq/kubectl-meshq/sources/transport"
)

// Levels are Envoy's words for how much a logger says, the most first.
func Levels() []string {
	return []string{"trace", "debug", "info", "warning", "error", "critical", "off"}
}

// loggerName is what Envoy's loggers are called: "http", "conn_handler".
var loggerName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)

// askLevel makes the one question that changes something: how much a logger of
// an Envoy says, all of its loggers where none is named. Nothing else comes to
// it: not by [askAdmin], which refuses logging with parameters.
func askLevel(logger, level string) (*question, error) {
	switch {
	case !slices.Contains(Levels(), level):
		return nil, fmt.Errorf("%q is no level", level)
	case logger == "":
		logger = "level" // Envoy's word for all of them
	case logger == "level" || logger == "paths" || !loggerName.MatchString(logger):
		return nil, fmt.Errorf("%q is no logger", logger)
	}
	return &question{method: "POST", path: "/logging", query: logger + "=" + level, name: "logging", form: transport.Text}, nil
}

// SetLevel sets how much a logger of a proxy's Envoy says; an empty logger is
// all of them. It changes the proxy, and nobody calls it who only reads. The
// answer lists all loggers, as that of Fetch does for "logging".
func (c *Cluster) SetLevel(ctx context.Context, proxy, logger, level string) (*transport.Body, error) {
	q, err := askLevel(logger, level)
	if err != nil {
		return nil, err
	}
	defer c.begin()()
	p, ok := podOf(proxy)
	if !ok {
		return nil, &absent{"no such pod", nil}
	}
	at, err := c.seat(ctx, p)
	switch {
	case err != nil:
		return nil, err
	case at.ztunnel:
		return nil, errors.New("the loggers of a ztunnel are not set here")
	}
	return c.question(ctx, p, at.port, false, q, execution{pilotAgent(q, at.port), fmt.Sprintf("port %d", at.port)})
}

// SetLevel is that of [Cluster.SetLevel].
func (d *Direct) SetLevel(ctx context.Context, proxy, logger, level string) (*transport.Body, error) {
	q, err := askLevel(logger, level)
	if err != nil {
		return nil, err
	}
	defer d.begin()()
	if !slices.Contains(d.envoys, proxy) {
		return nil, &absent{"no address of it is known", nil}
	}
	return d.question(ctx, proxy, false, q)
}
