package sigv4

import (
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
)

// parameter is one decoded pair of a query string.
type parameter struct{ name, value string }

// parseQuery decodes every pair. net/url drops pairs that it cannot read,
// which would let unsigned ones through.
func parseQuery(raw string) ([]parameter, error) {
	var all []parameter
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		n, err := url.QueryUnescape(name)
		if err != nil {
			return nil, err
		}
		v, err := url.QueryUnescape(value)
		if err != nil {
			return nil, err
		}
		all = append(all, parameter{n, v})
	}
	return all, nil
}

// canonicalQuery encodes and sorts the parameters, without the signature itself.
func canonicalQuery(all []parameter, presigned bool) string {
	encoded := make([]parameter, 0, len(all))
	for _, p := range all {
		if presigned && p.name == "X-Amz-Signature" {
			continue
		}
		encoded = append(encoded, parameter{escape(p.name, ""), escape(p.value, "")})
	}
	slices.SortFunc(encoded, func(a, b parameter) int {
		if c := strings.Compare(a.name, b.name); c != 0 {
			return c
		}
		return strings.Compare(a.value, b.value)
	})
	var b strings.Builder
	for i, p := range encoded {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(p.name + "=" + p.value)
	}
	return b.String()
}

// escape percent-encodes all but RFC 3986's unreserved characters and those in keep.
func escape(s, keep string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	b.Grow(len(s))
	for i := range len(s) {
		c := s[i]
		if unreserved(c) || strings.IndexByte(keep, c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.Write([]byte{'%', digits[c>>4], digits[c&15]})
	}
	return b.String()
}

func unreserved(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		c == '-' || c == '.' || c == '_' || c == '~'
}

// canonicalPath encodes the path once for S3, whose keys are taken as they
// are, and twice, after removing dot segments, for every other service.
func canonicalPath(u *url.URL, service string) string {
	raw := u.EscapedPath()
	if raw == "" {
		return "/"
	}
	if service == "s3" {
		return encodeOnce(raw)
	}
	clean := path.Clean(raw)
	if strings.HasSuffix(raw, "/") && clean != "/" {
		clean += "/"
	}
	return escape(clean, "/")
}

// encodeOnce brings each segment of a path into its canonical encoding; an
// encoded slash stays encoded.
func encodeOnce(raw string) string {
	segments := strings.Split(raw, "/")
	for i, s := range segments {
		if plain, err := url.PathUnescape(s); err == nil {
			segments[i] = escape(plain, "")
		}
	}
	return strings.Join(segments, "/")
}

// canonicalHeaders lists the signed headers with trimmed values. It reports
// the name of one that the request does not have.
func canonicalHeaders(r *http.Request, names []string) (text, missing string) {
	var b strings.Builder
	for _, name := range names {
		values := headerValues(r, name)
		if values == nil {
			return "", name
		}
		b.WriteString(name + ":")
		for i, v := range values {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(strings.Join(strings.FieldsFunc(v, isSpace), " "))
		}
		b.WriteByte('\n')
	}
	return b.String(), ""
}

func isSpace(r rune) bool { return r == ' ' || r == '\t' }

// headerValues returns a header's values, those included that net/http moves out of the map.
func headerValues(r *http.Request, name string) []string {
	if name == "host" {
		return []string{r.Host}
	}
	if values := r.Header.Values(name); len(values) > 0 {
		return values
	}
	switch {
	case name == "content-length" && r.ContentLength >= 0:
		return []string{strconv.FormatInt(r.ContentLength, 10)}
	case name == "transfer-encoding" && len(r.TransferEncoding) > 0:
		return r.TransferEncoding
	case name == "trailer" && len(r.Trailer) > 0:
		return trailerNames(r)
	}
	return nil
}

func trailerNames(r *http.Request) []string {
	var names []string
	for name := range r.Trailer {
		names = append(names, strings.ToLower(name))
	}
	slices.Sort(names)
	return []string{strings.Join(names, ",")}
}

// mustBeSigned finds a header that has to be signed and is not: host and every x-amz-* one.
func mustBeSigned(r *http.Request, signed []string) string {
	if !slices.Contains(signed, "host") {
		return "host"
	}
	var unsigned []string
	for name := range r.Header {
		name = strings.ToLower(name)
		if strings.HasPrefix(name, "x-amz-") && !slices.Contains(signed, name) {
			unsigned = append(unsigned, name)
		}
	}
	slices.Sort(unsigned)
	return strings.Join(unsigned, ", ")
}

// canonicalRequest is the text whose hash is signed.
func canonicalRequest(r *http.Request, a *Authorization, payloadHash string) (string, error) {
	query, err := parseQuery(r.URL.RawQuery)
	if err != nil {
		return "", fail(BadQuery, a.Service, "the query string cannot be read: %v", err)
	}
	if name := mustBeSigned(r, a.SignedHeaders); name != "" {
		return "", fail(Unsigned, a.Service, "There were headers present in the request which were not signed: %s", name)
	}
	headers, missing := canonicalHeaders(r, a.SignedHeaders)
	if missing != "" {
		return "", fail(Mismatch, a.Service, "%s The signed header %s is not in the request.", mismatchMessage, missing)
	}
	return strings.Join([]string{
		r.Method, canonicalPath(r.URL, a.Service), canonicalQuery(query, a.Presigned),
		headers, strings.Join(a.SignedHeaders, ";"), payloadHash,
	}, "\n"), nil
}
