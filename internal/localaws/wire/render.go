package wire

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"slices"
)

// WriteError renders an error in the service's protocol. A nil service is S3's form.
func WriteError(w http.ResponseWriter, r *http.Request, svc *Service, requestID string, err error) {
	p, validationCode := RestXML, ""
	if svc != nil {
		p, validationCode = svc.Protocol, svc.ValidationCode
	}
	e := AsError(err).in(p, validationCode)
	if svc != nil && svc.DeniedCode != "" && e.kind == kindAccessDenied {
		e.Code, e.Status = svc.DeniedCode, http.StatusForbidden
	}
	maps.Copy(w.Header(), e.Header)
	if bodyless(r, e.Status) {
		w.Header().Del("Content-Type")
		w.WriteHeader(e.Status)
		return
	}
	if e.QueryCode != "" && p.family() == familyQuery {
		e.Code = e.QueryCode
	} else if e.QueryCode != "" {
		w.Header().Set("x-amzn-query-error", e.QueryCode+";"+e.Fault.String())
	}
	if p.family() == familyJSON || p.family() == familyREST {
		w.Header().Set("X-Amzn-Errortype", e.Code)
	}
	w.Header().Set("Content-Type", p.contentType())
	writeBody(w, "", e.Status, renderError(e, p, svc, r.URL.Path, requestID))
}

func namespace(svc *Service) string {
	if svc == nil {
		return ""
	}
	return svc.Namespace
}

// bodyless reports whether HTTP allows no body in the answer.
func bodyless(r *http.Request, status int) bool {
	return r.Method == http.MethodHead || status == http.StatusNotModified || status == http.StatusNoContent
}

func renderError(e *Error, p Protocol, svc *Service, path, requestID string) []byte {
	switch p.family() {
	case familyQuery:
		return queryError(e, namespace(svc), requestID)
	case familyEC2:
		return ec2Error(e, requestID)
	case familyS3:
		if svc != nil && svc.WrapsErrors {
			return queryError(e, namespace(svc), requestID)
		}
		return s3Error(e, path, requestID)
	}
	return jsonErrorBody(e)
}

// jsonErrorBody is {"__type": code, "message": ..., further members}.
func jsonErrorBody(e *Error) []byte {
	members := map[string]any{"__type": e.Code, "message": e.Message}
	maps.Copy(members, e.Fields)
	body, err := json.Marshal(members)
	if err != nil {
		body = fmt.Appendf(nil, `{"__type":%q}`, e.Code)
	}
	return body
}

func queryError(e *Error, namespace, requestID string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<ErrorResponse xmlns="%s"><Error>`, namespace)
	tag(&b, "Type", e.Fault.String())
	errorMembers(&b, e)
	b.WriteString("</Error>")
	tag(&b, "RequestId", requestID)
	b.WriteString("</ErrorResponse>")
	return b.Bytes()
}

func ec2Error(e *Error, requestID string) []byte {
	var b bytes.Buffer
	b.WriteString("<Response><Errors><Error>")
	errorMembers(&b, e)
	b.WriteString("</Error></Errors>")
	tag(&b, "RequestID", requestID)
	b.WriteString("</Response>")
	return b.Bytes()
}

func s3Error(e *Error, path, requestID string) []byte {
	var b bytes.Buffer
	b.WriteString(xml.Header + "<Error>")
	errorMembers(&b, e)
	tag(&b, "Resource", path)
	tag(&b, "RequestId", requestID)
	tag(&b, "HostId", requestID)
	b.WriteString("</Error>")
	return b.Bytes()
}

func errorMembers(b *bytes.Buffer, e *Error) {
	tag(b, "Code", e.Code)
	tag(b, "Message", e.Message)
	for _, name := range slices.Sorted(maps.Keys(e.Fields)) {
		tag(b, name, fmt.Sprint(e.Fields[name]))
	}
}

func tag(b *bytes.Buffer, name, text string) {
	b.WriteString("<" + name + ">")
	xml.EscapeText(b, []byte(text)) //nolint:errcheck // a bytes.Buffer does not fail
	b.WriteString("</" + name + ">")
}
