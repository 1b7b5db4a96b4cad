package run

import (
	"slices"
	"testing"
)

func TestReadLevels(t *testing.T) {
	for text, want := range map[string][]Level{
		"debug":                      {{"", "debug"}},
		"WARN":                       {{"", "warning"}},
		"http:debug,redis=trace":     {{"http", "debug"}, {"redis", "trace"}},
		"http:debug, info":           {{"", "info"}, {"http", "debug"}},
		"envoy::http:debug,a::b=off": {{"http", "debug"}, {"b", "off"}},
	} {
		if got, err := ReadLevels(text); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
}
