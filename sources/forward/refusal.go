package forward

import (
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

// answered makes an error of an answer that was no upgrade: the status that
// the API server gave, or one of the HTTP code alone when it was something on
// the way that answered.
func answered(code int, body []byte) error {
	var s metav1.Status
	if json.Unmarshal(body, &s) == nil && s.Kind == "Status" {
		s.Message = line1(s.Message)
		return &apierrors.StatusError{ErrStatus: s}
	}
	text := message(body)
	if text == "" {
		text = strings.TrimSpace(fmt.Sprintf("the API server answered %d %s", code, http.StatusText(code)))
	}
	e := apierrors.NewGenericServerResponse(code, "upgrade", schema.GroupResource{}, "", text, 0, true)
	e.ErrStatus.Message = text
	return e
}

// message finds what a body says to people: nothing, if it is a page of HTML.
// It may be a status that is cut short.
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

	// handshake is how client-go puts an answer that it found no status in;
	// it reads no more than 1 KiB, which is short of some.
	handshake = regexp.MustCompile(`(?s)^websocket: bad handshake \((\d{3})[^)]*\)(?:: (.*))?$`)
)

// refusal takes what client-go has wrapped around an API status off: the
// wrapping hides it from apierrors.
func refusal(err error) error {
	var upgrade *httpstream.UpgradeFailureError
	if !errors.As(err, &upgrade) || upgrade.Cause == nil {
		return err
	}
	if m := handshake.FindStringSubmatch(upgrade.Cause.Error()); m != nil {
		if code, err := strconv.Atoi(m[1]); err == nil {
			return answered(code, []byte(m[2]))
		}
	}
	return upgrade.Cause
}

// worthSPDY tells whether SPDY may do what a WebSocket didn't: it may where
// WebSockets aren't understood, and where it takes another verb to be allowed
// one (create, not get). It can't help what is not there, who is not known,
// or what the API server itself could not do.
func worthSPDY(err, refused error) bool {
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
		return apierrors.IsUnexpectedServerError(s) // of something on the way
	}
	return true
}

// clearer gives the one of two refusals to show: the second was the better
// try, but the first may say more of what is not allowed.
func clearer(first, second error) error {
	if apierrors.IsForbidden(first) && apierrors.IsForbidden(second) && namesVerb(first) && !namesVerb(second) {
		return first
	}
	return second
}

func namesVerb(err error) bool { return strings.Contains(err.Error(), " cannot ") }
