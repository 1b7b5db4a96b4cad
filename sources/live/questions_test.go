package live

import "testing"

func TestAskAdmin(t *testing.T) {
	for request, want := range map[string]string{
		"config_dump":      "GET /config_dump?include_eds JSON",
		"clusters":         "GET /clusters?format=json JSON",
		"stats":            "GET /stats?format=json JSON",
		"listeners":        "GET /listeners?format=json JSON",
		"server_info":      "GET /server_info JSON",
		"config_dump?":     "GET /config_dump JSON",
		"certs":            "GET /certs JSON",
		"ready":            "GET /ready text",
		"logging":          "POST /logging text",
		"memory":           "GET /memory JSON",
		"runtime":          "GET /runtime JSON",
		"init_dump":        "GET /init_dump JSON",
		"stats/prometheus": "GET /stats/prometheus text",
		"config_dump?mask=dynamic_active_clusters&name_regex=out%7Cx%5C.y": "GET /config_dump?mask=dynamic_active_clusters&name_regex=out%7Cx%5C.y JSON",
		"clusters?usedonly":                       "GET /clusters?usedonly text",
		"stats?usedonly&format=json&filter=a%20b": "GET /stats?usedonly&format=json&filter=a%20b JSON",
	} {
		q, err := askAdmin(request, false)
		if err != nil {
			t.Error(err)
		} else if got := q.method + " " + q.target() + " " + q.form.String(); got != want {
			t.Errorf("%s: %s, want %s", request, got, want)
		}
	}
	if q, err := askAdmin("config_dump", true); err != nil || q.target() != "/config_dump" {
		t.Errorf("of a ztunnel: %v %v", q, err)
	}
}

// TestAdminRefuses checks that a request that could change a proxy is refused in
// every form.
func TestAdminRefuses(t *testing.T) {
	for _, request := range []string{
		"", "/", "/config_dump", "quitquitquit", "drain_listeners", "drain_listeners?graceful", "healthcheck/fail", "reset_counters",
		"runtime_modify?a=b", "cpuprofiler?enable=y", "heapprofiler", "logging?level=debug", "logging?", "reopen_logs", "tap", "help",
		"config_dump/../quitquitquit", "../quitquitquit", "config_dump\r\nX: y", "config_dump?a b", "config_dump?a\r\nPOST /quitquitquit",
		"config_dump?mask=a#b", "config_dump?ü", "config_dump#", "CONFIG_DUMP", "stats/", "stats/recentlookups/clear", "clusters/", "%71uitquitquit",
	} {
		if q, err := askAdmin(request, false); err == nil {
			t.Errorf("%q is asked: %s %s", request, q.method, q.target())
		}
	}
}

func TestAskDebug(t *testing.T) {
	for endpoint, want := range map[string]string{
		"syncz":                               "GET /debug/syncz JSON",
		"version":                             "GET /version text",
		"config_dump?proxyID=a.b&include_eds": "GET /debug/config_dump?proxyID=a.b&include_eds JSON",
		"edsz?proxyID=a.b":                    "GET /debug/edsz?proxyID=a.b JSON",
		"endpointShardz":                      "GET /debug/endpointShardz JSON",
	} {
		q, err := askDebug(endpoint)
		if err != nil {
			t.Error(err)
		} else if got := q.method + " " + q.target() + " " + q.form.String(); got != want {
			t.Errorf("%s: %s, want %s", endpoint, got, want)
		}
	}
}

func TestDebugRefuses(t *testing.T) {
	for _, endpoint := range []string{
		"", "force_disconnect", "force_disconnect?proxyID=a.b", "pprof/profile", "adsz?push=true", "adsz?proxyID=a&push=true", "adsz?%70ush=true",
		"adsz?push", "cachez?clear=true", "cachez?sizes=true&clear=1", "adsz?PUSH=true", "adsz?a;push=true", "adsz?%zz", "../quit", "syncz/../force_disconnect",
		"syncz?namespace=a\r\nX: y", "version?x", "metrics", "syncz?namespace=a b",
	} {
		if q, err := askDebug(endpoint); err == nil {
			t.Errorf("%q is asked: %s", endpoint, q.target())
		}
	}
}
