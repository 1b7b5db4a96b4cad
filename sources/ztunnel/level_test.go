package ztunnel

import (
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// TestLevels has answers in the form of ztunnel's list_loggers.
func TestLevels(t *testing.T) {
	for body, want := range map[string]string{
		"current log level is info\n": `{"default":"info"}`,
		"current log level is hickory_server::server::server_future=off,access=debug,warn\n": `{"hickory_server::server::server_future":"off","access":"debug","default":"warn"}`,
		"Invalid HTTP method\n": "",
	} {
		v, err := (&Proxy{Owner: owner}).Section(t.Context(), mesh.Loggers, &decode.Document{Bytes: strings.NewReader(body), Name: "logging"})
		got := ""
		if err == nil {
			text, _ := v.(interface{ MarshalJSON() ([]byte, error) }).MarshalJSON()
			got = string(text)
		}
		if got != want || (err != nil) != (want == "") {
			t.Errorf("%q: %s (%v), want %s", body, got, err, want)
		}
	}
}
