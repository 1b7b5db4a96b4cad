package fleet

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// A capture is the recorded mesh that the fleet is built from. One of its proxies is used as the model; whatever is
// specific to that proxy is replaced by tokens.
type capture struct {
	folder string
	pod    string // the model's pod, "reviews-v2-7d79d5bd5d-8zzqd"
	ip     string
	own    *strings.Replacer
}

// model is the workload whose proxy is repeated.
const model = "reviews-v2"

func openCapture(folder string) (*capture, error) {
	c := &capture{folder: folder}
	pods, err := c.items("pods")
	if err != nil {
		return nil, err
	}
	for _, p := range pods {
		var of struct {
			Metadata struct{ Name string }
			Status   struct{ PodIP string }
		}
		if err := json.Unmarshal(p, &of); err != nil {
			return nil, err
		}
		if strings.HasPrefix(of.Metadata.Name, model+"-") {
			c.pod, c.ip = of.Metadata.Name, of.Status.PodIP
		}
	}
	if c.pod == "" {
		return nil, fmt.Errorf("%s: no pod %s", folder, model)
	}
	c.own = strings.NewReplacer(
		c.pod+".default~default.", podToken+"."+namespaceToken+"~"+namespaceToken+".",
		c.pod+".default", podToken+"."+namespaceToken, c.pod, podToken,
		`"`+model+`"`, `"`+appToken+`"`, c.ip, ipToken,
		`"cluster":"reviews.default"`, `"cluster":"`+appToken+"."+namespaceToken+`"`,
		`"app":"reviews"`, `"app":"`+appToken+`"`, `"service.istio.io/canonical-name":"reviews"`, `"service.istio.io/canonical-name":"`+appToken+`"`,
		`"NAMESPACE":"default"`, `"NAMESPACE":"`+namespaceToken+`"`,
	)
	return c, nil
}

var millis = regexp.MustCompile(`("last_updated":"[^"]*\.)\d{3}Z`)

// tokenize replaces the names, addresses and numbers that belong to the model's proxy alone by tokens.
func (c *capture) tokenize(text string) string {
	return millis.ReplaceAllString(c.own.Replace(text), "${1}"+millisToken+"Z")
}

// proxy reads a recorded answer of the model's Envoy.
func (c *capture) proxy(file string) (string, error) {
	b, err := os.ReadFile(filepath.Join(c.folder, "proxies", c.pod+".default", file))
	return string(b), err
}

// pilot reads a recorded answer of istiod.
func (c *capture) pilot(file string) ([]byte, error) {
	found, err := filepath.Glob(filepath.Join(c.folder, "pilots", "*", file))
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, os.ErrNotExist
	}
	return os.ReadFile(found[0])
}

// kubernetes reads a recorded list of the API server. resource is "services" or "gateways.networking.istio.io", for
// example.
func (c *capture) kubernetes(resource string) ([]byte, error) {
	return os.ReadFile(filepath.Join(c.folder, "kubernetes", filepath.Base(resource)+".json"))
}

// items returns the objects of a recorded list.
func (c *capture) items(resource string) ([]json.RawMessage, error) {
	b, err := c.kubernetes(resource)
	if err != nil {
		return nil, err
	}
	var list struct{ Items []json.RawMessage }
	err = json.Unmarshal(b, &list)
	return list.Items, err
}

// resources returns the names of all recorded lists.
func (c *capture) resources() (all []string) {
	found, _ := filepath.Glob(filepath.Join(c.folder, "kubernetes", "*.json")) // Glob fails only for a malformed pattern
	for _, f := range found {
		all = append(all, strings.TrimSuffix(filepath.Base(f), ".json"))
	}
	return all
}
