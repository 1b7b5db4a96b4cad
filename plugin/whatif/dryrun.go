package whatif

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/plugin/run"
	"github.com/meshq/kubectl-meshq/sources/apiserver"
	"k8s.io/client-go/rest"
)

// longestAnswer limits an answer of the API server.
const longestAnswer = 16 << 20

// serverDryRun returns the objects as the API server would store them: it sends each
// as a server-side apply with dryRun=All, which stores nothing
// (https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run).
func serverDryRun(ctx context.Context, r *run.Run, objects []map[string]any) ([]map[string]any, error) {
	config, err := r.Kube.ToRESTConfig()
	if err != nil {
		return nil, process.Usagef("kubeconfig: %s", process.OneLine(err.Error()))
	}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, process.Usagef("kubeconfig: %s", process.OneLine(err.Error()))
	}
	base, _, err := rest.DefaultServerUrlFor(config)
	if err != nil {
		return nil, process.Usagef("kubeconfig: %s", process.OneLine(err.Error()))
	}
	out := make([]map[string]any, len(objects))
	for i, o := range objects {
		path, name, err := pathOf(o, r.Kube.Namespace)
		if err != nil {
			return nil, process.Exit(process.ExitUsage, err)
		}
		if out[i], err = dryRun(ctx, client, base.JoinPath(path), o); err != nil {
			return nil, process.Exit(process.ExitUsage, fmt.Errorf("--server-dry-run: %s: %w", name, err))
		}
	}
	return out, nil
}

func dryRun(ctx context.Context, client *http.Client, to *url.URL, o map[string]any) (map[string]any, error) {
	text, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	to.RawQuery = url.Values{"dryRun": {"All"}, "fieldManager": {"kubectl"}, "force": {"true"}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPatch, to.String(), bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/apply-patch+yaml")
	req.Header.Set("Accept", "application/json")
	w, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer w.Body.Close()
	body, err := io.ReadAll(io.LimitReader(w.Body, longestAnswer))
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var answer map[string]any
	if err := d.Decode(&answer); err != nil {
		return nil, fmt.Errorf("the API server answered %s", w.Status)
	}
	if w.StatusCode >= http.StatusBadRequest {
		message, _ := answer["message"].(string)
		return nil, fmt.Errorf("%s: %s", w.Status, message)
	}
	return answer, nil
}

// pathOf returns the path of an object in the API, and its name for errors.
func pathOf(o map[string]any, namespace *string) (path, name string, err error) {
	version, _ := o["apiVersion"].(string)
	kind, _ := o["kind"].(string)
	m, _ := o["metadata"].(map[string]any)
	object, _ := m["name"].(string)
	resource, ok := apiserver.ResourceOf(version, kind)
	namespaced := apiserver.IsNamespaced(resource)
	resource, _, _ = strings.Cut(resource, ".")
	if !ok || object == "" {
		return "", "", fmt.Errorf("--server-dry-run: %s %s: istiod doesn't watch this kind", kind, object)
	}
	root := "/apis/"
	if !strings.Contains(version, "/") {
		root = "/api/"
	}
	path = root + version
	if namespaced {
		in, _ := m["namespace"].(string)
		if in == "" {
			in = "default"
			if namespace != nil && *namespace != "" {
				in = *namespace
			}
		}
		path += "/namespaces/" + url.PathEscape(in)
	}
	return path + "/" + resource + "/" + url.PathEscape(object), kind + " " + object, nil
}
