package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
)

// Time is a timestamp: seconds since 1970 with milliseconds in JSON, ISO 8601
// in XML and forms, an HTTP date in headers.
// https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html#timestamp-format
type Time struct{ time.Time }

// TimeOf returns t to the millisecond, which is what the wire carries.
func TimeOf(t time.Time) Time { return Time{t.UTC().Truncate(time.Millisecond)} }

// MarshalJSON writes epoch seconds, or null for the zero time.
func (t Time) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	ms := t.UnixMilli()
	if ms%1000 == 0 {
		return strconv.AppendInt(nil, ms/1000, 10), nil
	}
	return strconv.AppendFloat(nil, float64(ms)/1000, 'f', 3, 64), nil
}

// UnmarshalJSON reads epoch seconds or an ISO 8601 string.
func (t *Time) UnmarshalJSON(b []byte) error {
	if bytes.Equal(b, []byte("null")) {
		return nil
	}
	if b[0] == '"' {
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		return t.UnmarshalText([]byte(s))
	}
	seconds, err := strconv.ParseFloat(string(b), 64)
	if err != nil || math.Abs(seconds) > 1e12 {
		return fmt.Errorf("%s is no timestamp", b)
	}
	t.Time = time.UnixMilli(int64(math.Round(seconds * 1000))).UTC()
	return nil
}

// MarshalText writes ISO 8601.
func (t Time) MarshalText() ([]byte, error) { return []byte(t.ISO()), nil }

// ISO returns the time as ISO 8601 with milliseconds.
func (t Time) ISO() string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// UnmarshalText reads ISO 8601, an HTTP date or epoch seconds.
func (t *Time) UnmarshalText(b []byte) error {
	for _, layout := range []string{time.RFC3339Nano, time.RFC1123, "20060102T150405Z"} {
		if parsed, err := time.Parse(layout, string(b)); err == nil {
			t.Time = parsed.UTC()
			return nil
		}
	}
	if seconds, err := strconv.ParseFloat(string(b), 64); err == nil && math.Abs(seconds) < 1e12 {
		t.Time = time.UnixMilli(int64(math.Round(seconds * 1000))).UTC()
		return nil
	}
	return fmt.Errorf("%q is no timestamp", b)
}

// DateTime is a timestamp that JSON carries as an ISO 8601 string, as the
// services whose model says date-time do (Bedrock).
type DateTime struct{ time.Time }

// MarshalJSON writes the ISO 8601 string, or null for the zero time.
func (t DateTime) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return json.Marshal(Time(t).ISO())
}

// UnmarshalJSON reads what Time reads.
func (t *DateTime) UnmarshalJSON(b []byte) error { return (*Time)(t).UnmarshalJSON(b) }
