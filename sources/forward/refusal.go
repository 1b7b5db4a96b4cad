package forward

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/streaming/pkg/httpstream"
)

// answered returns the error for a response that is no upgrade: the API
// server's status, or one made of the HTTP code if a proxy on the way answered.
// retryAfter is the delay that its header names, in seconds; 0 for none.
func answered(code int, body []byte, retryAfter int) error {
	var s metav1.Status
	if json.Unmarshal(body, &s) == nil && s.Kind == "Status" {
		s.Message = line1(s.Message)
		if s.Details == nil {
			s.Details = &metav1.StatusDetails{}
		}
		s.Details.RetryAfterSeconds = cmp.Or(s.Details.RetryAfterSeconds, int32(retryAfter))
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

// message returns the text for people in a response body, which may be a
// truncated status; "" for a page of HTML.
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

	// handshake matches client-go's error for a response in which it found no
	// status; it reads only 1 KiB, so that the status may be truncated.
	handshake = regexp.MustCompile(`(?s)^websocket: bad handshake \((\d{3})[^)]*\)(?:: (.*))?$`)
)

// refusal unwraps the API status in an error of client-go, whose wrapping hides
// it from apierrors.
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

// mayHelpSPDY reports whether SPDY may succeed where a WebSocket failed: if a
// proxy on the way doesn't understand WebSockets, or RBAC allows SPDY's verb
// (create) and not that of WebSockets (get). It can't help with a missing pod, an
// unknown user, or an error of the API server itself.
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
		return apierrors.IsUnexpectedServerError(s) // of a proxy on the way
	}
	return true
}

// moreHelpful returns the one of two refusals to show: the second try had the
// better chance, but the first error may name the missing permission.
func moreHelpful(first, second error) error {
	if apierrors.IsForbidden(first) && apierrors.IsForbidden(second) && namesVerb(first) && !namesVerb(second) {
		return first
	}
	return second
}

func namesVerb(err error) bool { return strings.Contains(err.Error(), " cannot ") }
