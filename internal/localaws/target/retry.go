package target

import (
	"strings"
	"time"

	"engage/internal/localaws/wire"
)

// Policy is how often and for how long a delivery is tried again.
type Policy struct {
	Retries int       // at most
	Until   time.Time // no attempt comes after it; the zero time sets no limit
	Phases  bool      // SNS's delays; the default doubles from a second up to longest
}

// longest is the longest delay: the 185 attempts that EventBridge makes by
// default then fill its 24 hours.
const longest = 8 * time.Minute

// next returns how long to wait for the next attempt after so many. A
// condition says why there is none: AWS's words for it; a negative wait
// without one, that the failure would not pass.
func (p Policy) next(tries int, now time.Time, transient bool) (wait time.Duration, condition string) {
	if !transient {
		return -1, ""
	}
	if tries >= p.Retries {
		return 0, "MaximumRetryAttempts"
	}
	wait = min(time.Second<<min(tries, 10), longest)
	if p.Phases {
		wait = phase(tries)
	}
	if !p.Until.IsZero() && now.Add(wait).After(p.Until) {
		return 0, "MaximumEventAgeInSeconds"
	}
	return wait, ""
}

// phase is how long SNS waits before an attempt: three at once, two a second
// apart, ten from 1 to 20 seconds, and then every 20 seconds.
// https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
func phase(tries int) time.Duration {
	switch {
	case tries < 3:
		return 0
	case tries < 5:
		return time.Second
	case tries < 15:
		return min(20*time.Second, time.Second<<((tries-5)/2))
	}
	return 20 * time.Second
}

// transient reports whether a failure may pass: the target throttles, or its
// service fails. A target that is not there, or that refuses, is not tried again.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
func transient(err error) bool {
	e := wire.AsError(err)
	return e.Status >= 500 && e.Status != 501 || e.Fault == wire.Receiver || throttled(e.Code)
}

func throttled(code string) bool {
	return strings.Contains(code, "Throttl") || strings.Contains(code, "TooManyRequests") || strings.Contains(code, "RequestLimitExceeded")
}

// Errors says how a dead letter tells why its parcel died.
type Errors string

// The forms of dead letters.
const (
	Silent    Errors = ""          // SNS: not at all
	OfRules   Errors = "rules"     // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
	OfPlanned Errors = "schedules" // https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html
)

func (e Errors) attributes(p Parcel, why *wire.Error, condition string) map[string]Attribute {
	if e == Silent {
		return p.Dead.Attributes
	}
	all := map[string]Attribute{"TARGET_ARN": Text(p.ARN), "ERROR_CODE": Text(e.code(why)), "ERROR_MESSAGE": Text(why.Message), "RETRY_ATTEMPTS": count(p.Tries)}
	for name, a := range p.Dead.Attributes {
		all[name] = a
	}
	if condition != "" {
		all["EXHAUSTED_RETRY_CONDITION"] = Text(condition)
	}
	return all
}

// code is how a service names an error: EventBridge by its class, the
// Scheduler as the target's service does.
func (e Errors) code(why *wire.Error) string {
	switch {
	case e == OfPlanned && why.QueryCode != "":
		return why.QueryCode
	case e == OfPlanned:
		return why.Code
	case wire.IsAccessDenied(why):
		return "NO_PERMISSIONS"
	case why.Status == 404 || strings.Contains(why.Code, "NotFound") || strings.Contains(why.Code, "DoesNotExist"):
		return "NO_RESOURCE"
	case throttled(why.Code):
		return "THROTTLING"
	case why.Status >= 500:
		return "ERROR_FROM_TARGET"
	}
	return "SDK_CLIENT_ERROR"
}
