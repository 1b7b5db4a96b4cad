package forward

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/streaming/pkg/httpstream"
)

// answered converts a response that is not an upgrade to an error. This is the
// API server's Status or, if a proxy in front of the API server has answered, a
// Status for the HTTP code. retryAfter is the delay in the response's header, in
// seconds; 0 means none.
func answered(code int, body []byte, retryAfter int) error {
	var s metav1.Status
	if json.Unmarshal(body, &s) == nil && s.Kind == "Status" {
		s.Message = line1(s.Message)
		if s.Details == nil {
			s.Details = &metav1.StatusDetails{}
		}
		s.Details.RetryAfterSeconds = cmp.Or(s.Details.RetryAfterSeconds, int32(min(retryAfter, math.MaxInt32)))
		return &apierrors.StatusError{ErrStatus: s}
	}
	text := message(body)
	if text == "" {
		text = strings.TrimSpace(fmt.Sprintf("the API server answered %d %s", code, http.StatusText(code)))
	}
	e := apierrors.NewGenericServerResponse(code, "upgrade", schema.GroupResource{}, "", text, retryAfter, true)
	e.ErrStatus.Message = text
	return e
}

// message returns the readable text in a response body, which may be a truncated
// status. It returns "" for an HTML page.
func message(body []byte) string {
	if m := messageField.FindSubmatch(body); m != nil {
		if text, err := strconv.Unquote(`"` + string(m[1]) + `"`); err == nil {
			return line1(text)
		}
	}
	text := line1(string(body))
	if strings.HasPrefix(text, "<") || strings.HasPrefix(text, "{") {
		return ""
	}
	return text
}

var (
	messageField = regexp.MustCompile(`"message":\s*"((?:[^"\\]|\\.)*)"`)

	// handshake matches client-go's error for a response that contains no valid
	// Status. client-go reads only 1 KiB, so the Status may be truncated.
	handshake = regexp.MustCompile(`(?s)^websocket: bad handshake \((\d{3})[^)]*\)(?:: (.*))?$`)
)

// refusal extracts the API Status from an error of client-go, which wraps it in
// a way that apierrors doesn't recognize.
func refusal(err error) error {
	var upgrade *httpstream.UpgradeFailureError
	if !errors.As(err, &upgrade) || upgrade.Cause == nil {
		return err
	}
	if m := handshake.FindStringSubmatch(upgrade.Cause.Error()); m != nil {
		if code, err := strconv.Atoi(m[1]); err == nil {
			return answered(code, []byte(m[2]), 0)
		}
	}
	return upgrade.Cause
}

// mayHelpSPDY reports whether SPDY may succeed after a WebSocket failed. That is
// so if a proxy in front of the API server doesn't support WebSockets, or if
// RBAC allows the verb for SPDY (create) but not the verb for WebSockets (get).
// SPDY can't help if the pod is missing, the user is unknown, or the API server
// itself failed.
func mayHelpSPDY(err, refused error) bool {
	if httpstream.IsHTTPSProxyError(err) {
		return true
	}
	if !httpstream.IsUpgradeFailure(err) {
		return false
	}
	var s *apierrors.StatusError
	if !errors.As(refused, &s) {
		return true
	}
	switch code := s.ErrStatus.Code; {
	case code == http.StatusNotFound, code == http.StatusUnauthorized, code == http.StatusTooManyRequests:
		return false
	case code >= http.StatusInternalServerError:
		return apierrors.IsUnexpectedServerError(s) // the error comes from a proxy in front of the API server
	}
	return true
}

// moreHelpful chooses which of two refusals to report. The second attempt was
// more likely to succeed, but the first error may name the missing permission.
func moreHelpful(first, second error) error {
	if apierrors.IsForbidden(first) && apierrors.IsForbidden(second) && namesVerb(first) && !namesVerb(second) {
		return first
	}
	return second
}

func namesVerb(err error) bool { return strings.Contains(err.Error(), " cannot ") }
