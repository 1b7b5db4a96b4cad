// Command pair writes a snapshot with two config dumps: that of a proxy, with the given size, and the configuration
// that istiod would send to this proxy. It takes both from a recorded mesh and repeats their resources under other
// names. The dumps differ as they did in the recording. In addition, every thousandth cluster of istiod's dump gets
// another connect timeout.
//
//	go run ./test/fleet/cmd/pair --dump 13.5 --out FOLDER
//
// It is a separate program because the program that starts a measured process must not use much memory: see package
// ledger.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	captures := flag.String("captures", filepath.Join("sources", "testdata", "stale"), "the recorded mesh")
	megabytes := flag.Float64("dump", 13.5, "how many MB the proxy's dump has (10^6 bytes)")
	out := flag.String("out", "", "the folder to write, which there is not yet")
	flag.Parse()
	if err := write(*captures, *out, *megabytes*1e6); err != nil {
		fmt.Fprintln(os.Stderr, "pair:", err)
		os.Exit(1)
	}
}

// write writes the snapshot. It uses the first recorded proxy for which the recording also contains the configuration
// that istiod would send.
func write(from, to string, bytes float64) error {
	held, err := filepath.Glob(filepath.Join(from, "proxies", "*", "config_dump.json"))
	if err != nil {
		return err
	}
	for _, path := range held {
		proxy := filepath.Base(filepath.Dir(path))
		sent, err := filepath.Glob(filepath.Join(from, "pilots", "*", "config_dump."+proxy+".json"))
		if err != nil || len(sent) == 0 {
			continue
		}
		times, err := repetitions(path, bytes)
		if err != nil {
			return err
		}
		err = errors.Join(multiply(path, from, to, times, false), multiply(sent[0], from, to, times, true))
		for _, name := range []string{"syncz.json", "adsz.json", "edsz." + proxy + ".json"} {
			err = errors.Join(err, multiply(filepath.Join(filepath.Dir(sent[0]), name), from, to, 0, false))
		}
		return errors.Join(err, multiply(filepath.Join(from, "manifest.json"), from, to, 0, false))
	}
	return fmt.Errorf("%s: no proxy with what its Pilot would send", from)
}

// repetitions returns how often a dump's resources must be repeated until the dump has the given number of bytes.
func repetitions(path string, bytes float64) (times int, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	once, err := withRepeated(text, 1, false)
	if err != nil {
		return 0, err
	}
	twice, err := withRepeated(text, 2, false)
	return int((bytes - float64(len(once))) / float64(len(twice)-len(once))), err
}

// lists maps the name of a list in a dump to the name of the field that contains the resource in each of its elements.
// Envoy writes the names in snake_case, istiod in camelCase.
var lists = map[string]string{
	"dynamic_active_clusters": "cluster", "dynamicActiveClusters": "cluster",
	"dynamic_route_configs": "route_config", "dynamicRouteConfigs": "routeConfig",
}

// multiply copies a file from the recording to the snapshot and repeats its resources the given number of times. If
// change is set, it also changes some clusters.
func multiply(path, from, to string, times int, change bool) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if times > 0 {
		if text, err = withRepeated(text, times, change); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	name, err := filepath.Rel(from, path)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(filepath.Join(to, name)), 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(to, name), text, 0o600)
}

func withRepeated(text []byte, times int, change bool) ([]byte, error) {
	var dump struct {
		Configs []map[string]json.RawMessage `json:"configs"`
	}
	if err := json.Unmarshal(text, &dump); err != nil {
		return nil, err
	}
	for _, part := range dump.Configs {
		for list, field := range lists {
			if part[list] == nil {
				continue
			}
			all, err := repeatElements(part[list], field, times, change)
			if err != nil {
				return nil, err
			}
			part[list] = all
		}
	}
	return json.MarshalIndent(dump, "", " ")
}

// repeatElements appends copies of a list's resources under other names. It doesn't copy resources that mention
// reviews: these differ between the proxy's dump and istiod's, and the differences must not be repeated.
func repeatElements(text json.RawMessage, field string, times int, change bool) (json.RawMessage, error) {
	var all []map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, err
	}
	once, n := len(all), 0
	for i := range times {
		for _, element := range all[:once] {
			if strings.Contains(string(element[field]), "reviews") {
				continue
			}
			var held map[string]json.RawMessage
			var name string
			if err := errors.Join(json.Unmarshal(element[field], &held), json.Unmarshal(held["name"], &name)); err != nil {
				return nil, err
			}
			held["name"], _ = json.Marshal(fmt.Sprintf("%s-%d", name, i)) // a string can always be encoded
			if n++; change && field == "cluster" && n%1000 == 0 {
				held["connectTimeout"] = json.RawMessage(`"77s"`)
			}
			whole, err := json.Marshal(held)
			if err != nil {
				return nil, err
			}
			other := map[string]json.RawMessage{}
			for key, value := range element {
				other[key] = value
			}
			other[field] = whole
			all = append(all, other)
		}
	}
	return json.Marshal(all)
}
