package live

import (
	"context"
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

// askLevel returns the request that sets the level of one of Envoy's loggers, or
// of all loggers if logger is empty. It is the only request that changes anything.
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

// SetLevel sets the level of a logger of a proxy's Envoy, or of a scope of a ztunnel.
// If logger is empty, it sets the level of all of them. For a ztunnel, an empty level
// restores the default levels. Because SetLevel changes the proxy, only a command whose
// purpose is this change may call it. The response lists all loggers, as that of Fetch
// for "logging" does.
func (c *Cluster) SetLevel(ctx context.Context, proxy, logger, level string) (*transport.Body, error) {
	defer c.begin()()
	p, ok := podOf(proxy)
	if !ok {
		return nil, &absent{"no such pod", nil}
	}
	at, err := c.adminAddress(ctx, p)
	if err != nil {
		return nil, err
	}
	if at.ztunnel {
		q, err := askZTunnelLevel(logger, level)
		if err != nil {
			return nil, err
		}
		return c.question(ctx, p, at.port, false, q, execution{not: "a ztunnel"})
	}
	q, err := askLevel(logger, level)
	if err != nil {
		return nil, err
	}
	return c.question(ctx, p, at.port, false, q, execution{pilotAgent(q, at.port), fmt.Sprintf("port %d", at.port)})
}

// askZTunnelLevel returns the request that sets the level of a scope of a ztunnel, or
// of all scopes if scope is empty. If level is empty, the request restores the default
// levels. If ztunnel doesn't have the level, the request sets the next one, as
// istioctl does.
func askZTunnelLevel(scope, level string) (*question, error) {
	q := &question{method: "POST", path: "/logging", query: "level=info&reset", name: "logging", form: transport.Text}
	if level == "" {
		return q, nil
	}
	if _, err := askLevel(scope, level); err != nil {
		return nil, err
	}
	switch level {
	case "warning":
		level = "warn"
	case "critical":
		level = "error"
	}
	if scope != "" {
		level = scope + "=" + level
	}
	q.query = "level=" + level
	return q, nil
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
