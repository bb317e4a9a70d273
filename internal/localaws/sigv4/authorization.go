package sigv4

import (
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	algorithm  = "AWS4-HMAC-SHA256"
	terminator = "aws4_request"
	timeForm   = "20060102T150405Z"
	dayForm    = "20060102"
	// maxExpires is the longest life of a presigned URL: seven days.
	maxExpires = 7 * 24 * time.Hour
)

// Authorization is a signature as a request carries it, parsed but not verified.
type Authorization struct {
	AccessKey string
	Day       string // YYYYMMDD
	Region    string
	Service   string

	SignedHeaders []string // lower case, sorted
	Signature     []byte
	Time          time.Time
	Token         string // session token, "" when there is none

	Presigned bool
	Expires   time.Duration // of a presigned URL
}

// scope is the credential scope without the access key.
func (a *Authorization) scope() string {
	return a.Day + "/" + a.Region + "/" + a.Service + "/" + terminator
}

// Signed reports whether the request carries a signature or what is meant as one.
func Signed(r *http.Request) bool {
	if r.Header.Get("Authorization") != "" {
		return true
	}
	q := r.URL.RawQuery
	return strings.Contains(q, "X-Amz-Signature=") || strings.Contains(q, "X-Amz-Algorithm=") || strings.Contains(q, "X-Amz-Credential=")
}

// Parse reads the signature of a request. Errors: *Error of kind Missing,
// Incomplete, BadQuery or Algorithm.
func Parse(r *http.Request) (*Authorization, error) {
	if !Signed(r) {
		return nil, fail(Missing, "", missingMessage)
	}
	header := r.Header.Values("Authorization")
	if len(header) == 0 {
		query, err := parseQuery(r.URL.RawQuery)
		if err != nil {
			return nil, fail(BadQuery, "", "the query string cannot be read: %v", err)
		}
		return parsePresigned(query)
	}
	if len(header) > 1 || strings.Contains(r.URL.RawQuery, "X-Amz-Signature=") {
		return nil, fail(Incomplete, "", "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter or the Authorization header should be specified")
	}
	a, err := ParseHeader(header[0])
	if err != nil {
		return nil, err
	}
	a.Token = r.Header.Get("X-Amz-Security-Token")
	return a, a.readTime(r.Header)
}

// ParseHeader reads the value of an Authorization header. The time of the
// signature is in another header.
func ParseHeader(value string) (*Authorization, error) {
	name, rest, _ := strings.Cut(strings.TrimSpace(value), " ")
	if name != algorithm {
		return nil, unsupported(name)
	}
	fields := map[string]string{}
	for field := range strings.SplitSeq(rest, ",") {
		key, val, ok := strings.Cut(strings.TrimSpace(field), "=")
		if !ok || fields[key] != "" {
			return nil, fail(Incomplete, "", "%q not a valid key=value pair (missing equal-sign or repeated) in Authorization header", field)
		}
		fields[key] = val
	}
	for _, key := range []string{"Credential", "SignedHeaders", "Signature"} {
		if fields[key] == "" {
			return nil, fail(Incomplete, "", "Authorization header requires '%s' parameter", key)
		}
	}
	a := &Authorization{}
	return a, a.read(Incomplete, fields["Credential"], fields["SignedHeaders"], fields["Signature"])
}

func unsupported(name string) error {
	if name == "" || len(name) > 40 {
		name = "(none)"
	}
	return fail(Algorithm, "", "The authorization mechanism you have provided, %s, is not supported. Please use %s.", name, algorithm)
}

// read fills in the parts that header and query share.
func (a *Authorization) read(kind Kind, credential, headers, signature string) error {
	parts := strings.Split(credential, "/")
	if len(parts) < 5 || parts[len(parts)-1] != terminator || slices.Contains(parts, "") {
		return fail(kind, "", "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/aws4_request, got %q", credential)
	}
	n := len(parts)
	a.AccessKey = strings.Join(parts[:n-4], "/")
	a.Day, a.Region, a.Service = parts[n-4], parts[n-3], parts[n-2]
	if _, err := time.Parse(dayForm, a.Day); err != nil {
		return fail(kind, a.Service, "Date in Credential scope must be in ISO-8601 form YYYYMMDD, got %q", a.Day)
	}
	a.SignedHeaders = strings.Split(headers, ";")
	if !slices.IsSorted(a.SignedHeaders) || slices.ContainsFunc(a.SignedHeaders, badHeaderName) {
		return fail(kind, a.Service, "SignedHeaders must be lower-case header names in order, separated by semicolons, got %q", headers)
	}
	raw, err := hex.DecodeString(signature)
	if err != nil || len(raw) != 32 {
		return fail(kind, a.Service, "Signature must be 64 hexadecimal digits")
	}
	a.Signature = raw
	return nil
}

func badHeaderName(name string) bool {
	return name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != ""
}

// readTime reads when the request was signed: X-Amz-Date, else Date.
func (a *Authorization) readTime(h http.Header) error {
	text, form := h.Get("X-Amz-Date"), timeForm
	if text == "" {
		text, form = h.Get("Date"), http.TimeFormat
	}
	if text == "" {
		return fail(Incomplete, a.Service, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
	}
	return a.setTime(Incomplete, text, form)
}

func (a *Authorization) setTime(kind Kind, text, form string) error {
	t, err := time.Parse(form, text)
	if err != nil && form == http.TimeFormat {
		t, err = time.Parse(timeForm, text)
	}
	if err != nil {
		return fail(kind, a.Service, "Date must be in ISO-8601 'basic format'. Got '%s'. See http://en.wikipedia.org/wiki/ISO_8601", text)
	}
	if a.Time = t.UTC(); a.Time.Format(dayForm) != a.Day {
		return fail(kind, a.Service, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s', from '%s'.", a.Day, a.Time.Format(dayForm), text)
	}
	return nil
}

// parsePresigned reads the signature from the query.
func parsePresigned(query []parameter) (*Authorization, error) {
	values := map[string]string{}
	for _, p := range query {
		if _, twice := values[p.name]; twice && strings.HasPrefix(p.name, "X-Amz-") {
			return nil, fail(BadQuery, "", "the query parameter %s is repeated", p.name)
		}
		values[p.name] = p.value
	}
	if name := values["X-Amz-Algorithm"]; name != algorithm {
		return nil, unsupported(name)
	}
	for _, name := range []string{"X-Amz-Credential", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Signature"} {
		if values[name] == "" {
			return nil, fail(BadQuery, "", "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters: %s is missing", name)
		}
	}
	a := &Authorization{Presigned: true, Token: values["X-Amz-Security-Token"]}
	if err := a.read(BadQuery, values["X-Amz-Credential"], values["X-Amz-SignedHeaders"], values["X-Amz-Signature"]); err != nil {
		return nil, err
	}
	if err := a.setTime(BadQuery, values["X-Amz-Date"], timeForm); err != nil {
		return nil, err
	}
	return a, a.setExpires(values["X-Amz-Expires"])
}

// setExpires reads X-Amz-Expires. S3 demands it; other services take fifteen minutes.
func (a *Authorization) setExpires(text string) error {
	if text == "" && a.Service != "s3" {
		a.Expires = Skew
		return nil
	}
	seconds, err := strconv.ParseInt(text, 10, 32)
	switch {
	case err != nil:
		return fail(BadQuery, a.Service, "X-Amz-Expires should be a number")
	case seconds < 0:
		return fail(BadQuery, a.Service, "X-Amz-Expires must be non-negative")
	case time.Duration(seconds)*time.Second > maxExpires:
		return fail(BadQuery, a.Service, "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds")
	}
	a.Expires = time.Duration(seconds) * time.Second
	return nil
}
