package cloudtrail

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"engage/internal/localaws/wire"
)

// Event is a call to be recorded.
type Event struct {
	Time                    time.Time
	Caller                  wire.Caller
	Service                 string // "s3"
	Operation               string
	Parameters              json.RawMessage // the input; secrets in it are not kept
	Resources               []string        // ARNs
	ErrorCode, ErrorMessage string
	SourceIP, UserAgent     string
	RequestID               string
	Data                    bool // on data (an object, an item, an invocation) and not on a resource
}

// record is an event as CloudTrail writes it.
type record struct {
	EventVersion       string         `json:"eventVersion"`
	UserIdentity       identity       `json:"userIdentity"`
	EventTime          string         `json:"eventTime"`
	EventSource        string         `json:"eventSource"`
	EventName          string         `json:"eventName"`
	AWSRegion          string         `json:"awsRegion"`
	SourceIPAddress    string         `json:"sourceIPAddress"`
	UserAgent          string         `json:"userAgent"`
	ErrorCode          string         `json:"errorCode,omitempty"`
	ErrorMessage       string         `json:"errorMessage,omitempty"`
	RequestParameters  any            `json:"requestParameters"`
	ResponseElements   any            `json:"responseElements"`
	RequestID          string         `json:"requestID"`
	EventID            string         `json:"eventID"`
	ReadOnly           bool           `json:"readOnly"`
	Resources          []resourceName `json:"resources,omitempty"`
	EventType          string         `json:"eventType"`
	ManagementEvent    bool           `json:"managementEvent"`
	RecipientAccountID string         `json:"recipientAccountId"`
	EventCategory      string         `json:"eventCategory"`
}

type resourceName struct {
	ARN string `json:"ARN"`
}

type identity struct {
	Type           string          `json:"type"`
	PrincipalID    string          `json:"principalId,omitempty"`
	ARN            string          `json:"arn,omitempty"`
	AccountID      string          `json:"accountId,omitempty"`
	AccessKeyID    string          `json:"accessKeyId,omitempty"`
	InvokedBy      string          `json:"invokedBy,omitempty"`
	SessionContext *sessionContext `json:"sessionContext,omitempty"`
}

type sessionContext struct {
	SessionIssuer struct {
		Type string `json:"type"`
		ARN  string `json:"arn"`
	} `json:"sessionIssuer"`
}

func identityOf(c wire.Caller) identity {
	id := identity{Type: "Root", PrincipalID: c.UserID, ARN: c.ARN, AccountID: c.Account, AccessKeyID: c.AccessKey}
	switch {
	case c.Service != "":
		return identity{Type: "AWSService", InvokedBy: c.Service}
	case c.RoleARN != "":
		id.Type, id.SessionContext = "AssumedRole", &sessionContext{}
		id.SessionContext.SessionIssuer.Type, id.SessionContext.SessionIssuer.ARN = "Role", c.RoleARN
	case c.Anonymous():
		id = identity{Type: "AWSAccount", PrincipalID: "", AccountID: "ANONYMOUS_PRINCIPAL"}
	case strings.Contains(c.ARN, ":user/"):
		id.Type = "IAMUser"
	}
	return id
}

// reading are the beginnings of the names of operations that change nothing.
var reading = []string{"Get", "List", "Describe", "Head", "Lookup", "BatchGet", "Query", "Scan", "Receive", "Test", "Filter", "Select"}

// IsReadOnly reports whether an operation changes nothing, by its name.
func IsReadOnly(operation string) bool {
	for _, prefix := range reading {
		if strings.HasPrefix(operation, prefix) {
			return true
		}
	}
	return false
}

const timeLayout = "2006-01-02T15:04:05Z"

func (e Event) record(id string) record {
	r := record{EventVersion: "1.11", UserIdentity: identityOf(e.Caller), EventTime: e.Time.UTC().Format(timeLayout),
		EventSource: e.Service + ".amazonaws.com", EventName: e.Operation, AWSRegion: e.Caller.Region, SourceIPAddress: e.SourceIP,
		UserAgent: e.UserAgent, ErrorCode: e.ErrorCode, ErrorMessage: e.ErrorMessage, RequestParameters: redact(e.Parameters),
		RequestID: e.RequestID, EventID: id, ReadOnly: IsReadOnly(e.Operation), EventType: "AwsApiCall", ManagementEvent: !e.Data,
		RecipientAccountID: e.Caller.Account, EventCategory: "Management"}
	if e.Data {
		r.EventCategory = "Data"
	}
	for _, arn := range e.Resources {
		r.Resources = append(r.Resources, resourceName{arn})
	}
	return r
}

// hidden are members whose values are secret or content, in lower case.
var hidden = []string{"secretstring", "secretbinary", "plaintext", "password", "value", "messagebody", "message", "body", "payload",
	"securestring", "token", "privatekey", "zipfile", "environment", "sessiontoken", "secretaccesskey", "input", "detail",
	"output", "webidentitytoken", "samlassertion", "layerpartblob", "stringvalue", "binaryvalue"}

const redacted = "HIDDEN_DUE_TO_SECURITY_REASONS"

// redact returns the parameters without secrets, nil when they are no JSON.
func redact(raw json.RawMessage) any {
	var value any
	if json.Unmarshal(raw, &value) != nil {
		return nil
	}
	return hide(value)
}

func hide(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			v[name] = hide(member)
			last := name[strings.LastIndexByte(name, '.')+1:] // "Tags.member.1.Value" of a form
			if slices.Contains(hidden, strings.ToLower(last)) {
				v[name] = redacted
			}
		}
	case []any:
		for i := range v {
			v[i] = hide(v[i])
		}
	}
	return value
}
