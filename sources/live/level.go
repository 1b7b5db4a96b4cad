package live

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/meshq/kubectl-meshq/sources/transport"
)

// Levels returns the levels of Envoy's loggers, the most verbose first.
func Levels() []string {
	return []string{"trace", "debug", "info", "warning", "error", "critical", "off"}
}

// loggerName matches the names of Envoy's loggers, such as "http" and
// "conn_handler".
var loggerName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)

// askLevel returns the question that sets the level of one of Envoy's loggers, or
// of all loggers if none is named. It is the only question that changes something.
// [askAdmin] refuses such a request, since it allows "logging" only without
// parameters.
func askLevel(logger, level string) (*question, error) {
	switch {
	case !slices.Contains(Levels(), level):
		return nil, fmt.Errorf("%q is no level", level)
	case logger == "":
		logger = "level" // Envoy's parameter "level" sets the level of all loggers
	case logger == "level" || logger == "paths" || !loggerName.MatchString(logger):
		return nil, fmt.Errorf("%q is no logger", logger)
	}
	return &question{method: "POST", path: "/logging", query: logger + "=" + level, name: "logging", form: transport.Text}, nil
}

// SetLevel sets the level of a logger of a proxy's Envoy. An empty logger means
// all loggers. Only a command whose purpose is a change may call SetLevel, because
// it changes the proxy. The response lists all loggers, as that of Fetch for
// "logging" does.
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
	at, err := c.adminAddress(ctx, p)
	switch {
	case err != nil:
		return nil, err
	case at.ztunnel:
		return nil, errors.New("the loggers of a ztunnel are not set here")
	}
	return c.question(ctx, p, at.port, false, q, execution{pilotAgent(q, at.port), fmt.Sprintf("port %d", at.port)})
}

// SetLevel does the same as [Cluster.SetLevel].
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
