// Package request implements "pilot-agent request GET PATH" and "pilot-discovery request GET PATH": it sends the
// request to a port of the pod and prints the body of the answer. In the test mesh, the pod's ports are forwarded to
// other ports of the machine. The environment variable PORTS has the mapping: "15000=20123".
package request

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// Run runs the command and returns its exit code. The arguments and error messages are those of the real programs.
func Run(args []string, port string) int {
	if err := run(args, port); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		return 1
	}
	return 0
}

func run(args []string, port string) error {
	args, port, err := flags(args, port)
	if err != nil {
		return err
	}
	if len(args) < 3 || args[0] != "request" {
		return errors.New("requires at least 2 arg(s): request <method> <path> [<body>]")
	}
	local, ok := localPort(port)
	if !ok {
		return fmt.Errorf(`%s "http://localhost:%s/%s": dial tcp 127.0.0.1:%[2]s: connect: connection refused`, args[1], port, strings.TrimPrefix(args[2], "/"))
	}
	req, err := http.NewRequest(args[1], "http://127.0.0.1:"+local+"/"+strings.TrimPrefix(args[2], "/"), nil)
	if err != nil {
		return err
	}
	resp, err := (&http.Client{Timeout: time.Minute}).Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode > 399 && resp.StatusCode != http.StatusNotFound {
		return fmt.Errorf("received unsuccessful status code %v: %s", resp.StatusCode, body)
	}
	fmt.Println(string(body))
	return nil
}

// flags removes --debug-port from the arguments and returns its value.
func flags(args []string, port string) (rest []string, _ string, err error) {
	for i := 0; i < len(args); i++ {
		value, given := strings.CutPrefix(args[i], "--debug-port")
		switch {
		case !given:
			rest = append(rest, args[i])
			continue
		case strings.HasPrefix(value, "="):
			port = value[1:]
		case i+1 < len(args):
			i++
			port = args[i]
		}
		if !allowed(port) {
			return nil, "", fmt.Errorf("debug port %s is not in allowed list [15000 15004 15020 15021]", port)
		}
	}
	return rest, port, nil
}

func allowed(port string) bool {
	return port == "15000" || port == "15004" || port == "15020" || port == "15021"
}

func localPort(port string) (string, bool) {
	for pair := range strings.SplitSeq(os.Getenv("PORTS"), ",") {
		if from, to, ok := strings.Cut(pair, "="); ok && from == port {
			return to, true
		}
	}
	return "", false
}
