package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/apiserver"
)

// A Verdict is the response of istiod's admission webhook to an object.
type Verdict struct {
	Refused  string   // the reason why the object is refused; empty if it is admitted
	Warnings []string // istiod's warnings about an object that it admits
}

// Admit asks istiod whether it would admit an object, as the API server does before
// it stores one (https://istio.io/latest/docs/ops/configuration/mesh/validation/).
// existed reports whether the object replaces another one.
func (i *Istiod) Admit(ctx context.Context, o apiserver.Object, existed bool) (v Verdict, err error) {
	group, version, ok := strings.Cut(apiserver.Text(o["apiVersion"]), "/")
	if !ok {
		group, version = "", group
	}
	m, operation := apiserver.Metadata(o), "CREATE"
	if existed {
		operation = "UPDATE"
	}
	body, err := json.Marshal(map[string]any{
		"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1",
		"request": map[string]any{
			"uid": "1", "operation": operation, "name": m["name"], "namespace": m["namespace"],
			"kind": map[string]any{"group": group, "version": version, "kind": o["kind"]}, "object": o,
		},
	})
	if err != nil {
		return v, err
	}
	text, status, err := i.request(ctx, http.MethodPost, "/validate", body)
	if err != nil {
		return v, err
	}
	var review struct {
		Response *struct {
			Allowed  bool
			Warnings []string
			Status   struct{ Message string }
		}
	}
	if err = json.Unmarshal(text, &review); err != nil || status != http.StatusOK || review.Response == nil {
		return v, fmt.Errorf("istiod's admission webhook answered %d", status)
	}
	v.Warnings = review.Response.Warnings
	if !review.Response.Allowed {
		if v.Refused = review.Response.Status.Message; v.Refused == "" {
			v.Refused = "istiod gave no reason"
		}
	}
	return v, nil
}

// longestAnswer is the largest response in bytes that is read from istiod's
// HTTP port.
const longestAnswer = 1 << 20

// request sends a request to the port on which istiod serves readiness and
// admission.
func (i *Istiod) request(ctx context.Context, method, path string, body []byte) (answer []byte, status int, err error) {
	r, err := http.NewRequestWithContext(ctx, method, "http://"+i.http+path, bytes.NewReader(body))
	if err != nil {
		return nil, 0, err
	}
	r.Header.Set("Content-Type", "application/json")
	// the environment's HTTP proxy must not be used for loopback
	direct := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	w, err := direct.Do(r)
	if err != nil {
		return nil, 0, err
	}
	defer w.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(w.Body, longestAnswer))
	return answer, w.StatusCode, err
}
