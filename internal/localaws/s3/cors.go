package s3

import (
	"cmp"
	"encoding/xml"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"engage/internal/localaws/wire"
)

// corsRule lets pages of some origins send some requests.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/ManageCorsUsing.html
type corsRule struct {
	ID      string
	Origins []string `xml:"AllowedOrigin"`
	Methods []string `xml:"AllowedMethod"`
	Headers []string `xml:"AllowedHeader"`
	Expose  []string `xml:"ExposeHeader"`
	MaxAge  *int     `xml:"MaxAgeSeconds"`
}

const maxCORSRules = 100

var corsMethods = []string{"GET", "PUT", "POST", "DELETE", "HEAD"}

// parseCORS returns the rules of a document, and refuses what S3 refuses.
func parseCORS(doc []byte) ([]corsRule, error) {
	var c struct {
		Rules []corsRule `xml:"CORSRule"`
	}
	if xml.Unmarshal(doc, &c) != nil || len(c.Rules) == 0 || len(c.Rules) > maxCORSRules {
		return nil, malformedXML()
	}
	for _, rule := range c.Rules {
		if err := rule.check(); err != nil {
			return nil, err
		}
	}
	return c.Rules, nil
}

func checkCORS(_ *request, _ Bucket, doc []byte) ([]byte, error) {
	_, err := parseCORS(doc)
	return doc, err
}

func (c corsRule) check() error {
	if len(c.Origins) == 0 || len(c.Methods) == 0 {
		return malformedXML()
	}
	for _, m := range c.Methods {
		if !slices.Contains(corsMethods, m) {
			return wire.Errorf("InvalidRequest", "Found unsupported HTTP method in CORS config. Unsupported method is %s", m)
		}
	}
	for name, values := range map[string][]string{"AllowedOrigin": c.Origins, "AllowedHeader": c.Headers} {
		for _, v := range values {
			if strings.Count(v, "*") > 1 {
				return wire.Errorf("InvalidRequest", "%s %q can not have more than one wildcard.", name, v)
			}
		}
	}
	for _, v := range c.Expose {
		if strings.Contains(v, "*") {
			return wire.Errorf("InvalidRequest", "ExposeHeader %q contains wildcard. We currently do not support wildcard for ExposeHeader.", v)
		}
	}
	return nil
}

// fits reports whether text is as a pattern with at most one wildcard says.
func fits(pattern, text string) bool {
	before, after, wild := strings.Cut(pattern, "*")
	if !wild {
		return pattern == text
	}
	return len(text) >= len(before)+len(after) && strings.HasPrefix(text, before) && strings.HasSuffix(text, after)
}

// crossing is what a page wants to do in another origin.
type crossing struct {
	origin, method string
	headers        []string // in lower case
}

// crossingOf reads a preflight, or the page's request itself, whose headers of
// a preflight count too, as recorded on AWS.
func crossingOf(r *http.Request) crossing {
	c := crossing{origin: r.Header.Get("Origin"), method: r.Header.Get("Access-Control-Request-Method")}
	if c.method == "" && r.Method != http.MethodOptions {
		c.method = r.Method
	}
	for name := range strings.SplitSeq(r.Header.Get("Access-Control-Request-Headers"), ",") {
		if name = strings.ToLower(strings.TrimSpace(name)); name != "" {
			c.headers = append(c.headers, name)
		}
	}
	return c
}

// allows returns the pattern that lets the origin in, false when the rule does
// not let the crossing through.
func (c corsRule) allows(x crossing) (origin string, ok bool) {
	i := slices.IndexFunc(c.Origins, func(o string) bool { return fits(o, x.origin) })
	if i < 0 || !slices.Contains(c.Methods, x.method) {
		return "", false
	}
	for _, name := range x.headers {
		if !slices.ContainsFunc(c.Headers, func(h string) bool { return fits(strings.ToLower(h), name) }) {
			return "", false
		}
	}
	return c.Origins[i], true
}

// answer tells a browser what the rule lets its page do.
func (c corsRule) answer(h http.Header, x crossing, origin string) {
	h.Set("Access-Control-Allow-Origin", "*")
	if origin != "*" {
		h.Set("Access-Control-Allow-Origin", x.origin)
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	h.Set("Access-Control-Allow-Methods", strings.Join(c.Methods, ", "))
	for name, values := range map[string][]string{"Access-Control-Allow-Headers": x.headers, "Access-Control-Expose-Headers": c.Expose} {
		if len(values) > 0 {
			h.Set(name, strings.Join(values, ", "))
		}
	}
	if c.MaxAge != nil {
		h.Set("Access-Control-Max-Age", strconv.Itoa(*c.MaxAge))
	}
	h.Set("Vary", "Origin, Access-Control-Request-Headers, Access-Control-Request-Method")
}

// cross sets the headers that the first rule that lets a crossing through
// gives it, false when none does.
func (bk Bucket) cross(x crossing, h http.Header) bool {
	rules, err := parseCORS([]byte(bk.Settings["cors"]))
	if err != nil {
		return false // there are none
	}
	for _, rule := range rules {
		if origin, ok := rule.allows(x); ok {
			rule.answer(h, x, origin)
			return true
		}
	}
	return false
}

// crossOrigin lets through what the rules of the request's bucket let through.
func (s *Service) crossOrigin(r *http.Request, h http.Header) bool {
	bucketName, _ := address(r)
	if bucketName == "" {
		return false
	}
	bk, err := s.find(bucketName)
	return err == nil && bk.Settings["cors"] != "" && bk.cross(crossingOf(r), h)
}

// preflight answers a browser that asks before it sends a page's request.
// Codes and messages are as recorded on AWS.
func preflight(r *request) error {
	x := crossingOf(r.r)
	if x.origin == "" {
		return wire.Errorf("BadRequest", "Insufficient information. Origin request header needed.")
	}
	bk, err := r.find(r.bucket)
	switch {
	case wire.IsCode(err, "NoSuchBucket"):
		return r.forbid(x, "BUCKET", "Bucket not found")
	case err != nil:
		return err
	case bk.Settings["cors"] == "":
		return r.forbid(x, "BUCKET", "CORS is not enabled for this bucket.")
	case !slices.Contains(corsMethods, x.method):
		return wire.Errorf("BadRequest", "Invalid Access-Control-Request-Method: %s", cmp.Or(x.method, "null"))
	case bk.cross(x, r.w.Header()):
		return r.writeStatus(http.StatusOK)
	}
	kind := "BUCKET"
	if r.key != "" {
		kind = "OBJECT"
	}
	return r.forbid(x, kind, "This CORS request is not allowed. This is usually because the evalution of Origin, "+
		"request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.")
}

func (r *request) forbid(x crossing, kind, why string) error {
	return wire.StatusErrorf(http.StatusForbidden, "AccessForbidden", "CORSResponse: %s", why).
		With("Method", cmp.Or(x.method, r.r.Method)).With("ResourceType", kind)
}
