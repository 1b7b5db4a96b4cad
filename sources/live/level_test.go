package live

import "testing"

func TestAskLevel(t *testing.T) {
	for of, want := range map[[2]string]string{
		{"", "debug"}:               "POST /logging?level=debug",
		{"http", "trace"}:           "POST /logging?http=trace",
		{"conn_handler", "off"}:     "POST /logging?conn_handler=off",
		{"envoy.lua", "warning"}:    "POST /logging?envoy.lua=warning",
		{"http2", "critical"}:       "POST /logging?http2=critical",
		{"", "warn"}:                "",
		{"", ""}:                    "",
		{"level", "debug"}:          "",
		{"paths", "debug"}:          "",
		{"a=b&c", "debug"}:          "",
		{"a&level", "debug"}:        "",
		{"a b", "debug"}:            "",
		{"a\r\nX: y", "debug"}:      "",
		{"../quitquitquit", "off"}:  "",
		{"http", "debug&level=off"}: "",
	} {
		q, err := askLevel(of[0], of[1])
		switch {
		case (err == nil) != (want != ""):
			t.Errorf("%q: %v", of, err)
		case err == nil && q.method+" "+q.target() != want:
			t.Errorf("%q: %s %s, want %s", of, q.method, q.target(), want)
		}
	}
}
