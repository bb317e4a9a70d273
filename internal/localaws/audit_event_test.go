package localaws

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"engage/internal/localaws/server"
	"engage/internal/localaws/wire"
)

// What an event has of a call depends on the protocol that the call came by.
func TestAuditEvent(t *testing.T) {
	tests := map[string]struct {
		service    string
		protocol   wire.Protocol
		operation  string
		body       string
		query      string
		vars       map[string]string
		parameters string
		data       bool
	}{
		"JSON":            {service: "glue", protocol: wire.JSON11, operation: "GetTable", body: `{"Name":"t"}`, parameters: `{"Name":"t"}`},
		"no object":       {service: "glue", protocol: wire.JSON11, operation: "GetTable", body: `[1]`},
		"no JSON":         {service: "glue", protocol: wire.JSON10, operation: "GetTable", body: `{"Name":`},
		"too long":        {service: "ecr", protocol: wire.JSON11, operation: "UploadLayerPart", body: `{"b":"` + strings.Repeat("x", maxParameters) + `"}`},
		"a form":          {service: "iam", protocol: wire.Query, operation: "GetRole", body: "Action=GetRole&Version=2010-05-08&RoleName=r", parameters: `{"RoleName":"r"}`},
		"a form in a URL": {service: "sts", protocol: wire.Query, operation: "AssumeRole", query: "?Action=AssumeRole&RoleArn=a&X-Amz-Signature=s", parameters: `{"RoleArn":"a"}`},
		"REST":            {service: "lambda", protocol: wire.RestJSON, operation: "GetFunction", vars: map[string]string{"FunctionName": "f"}, parameters: `{"FunctionName":"f"}`},
		"invocation":      {service: "lambda", protocol: wire.RestJSON, operation: "Invoke", body: "secret", vars: map[string]string{"FunctionName": "f"}, parameters: `{"FunctionName":"f"}`, data: true},
		"bucket":          {service: "s3", protocol: wire.RestXML, operation: "CreateBucket", vars: map[string]string{"Bucket": "b", "Key": ""}, parameters: `{"bucketName":"b"}`},
		"object":          {service: "s3", protocol: wire.RestXML, operation: "GetObject", vars: map[string]string{"Bucket": "b", "Key": "k"}, parameters: `{"bucketName":"b","key":"k"}`, data: true},
		"batch delete":    {service: "s3", protocol: wire.RestXML, operation: "DeleteObjects", vars: map[string]string{"Bucket": "b", "Key": ""}, parameters: `{"bucketName":"b"}`, data: true},
		"message":         {service: "sqs", protocol: wire.JSON10, operation: "SendMessage", body: `{}`, parameters: `{}`, data: true},
	}
	for name, tt := range tests {
		r := httptest.NewRequest(http.MethodPost, "/"+tt.query, nil)
		r.Header.Set("User-Agent", "agent")
		call := &wire.Call{Service: &wire.Service{Name: tt.service, Protocol: tt.protocol}, Operation: tt.operation, HTTP: r,
			Body: []byte(tt.body), Vars: tt.vars, Caller: wire.Root("000000000000", "us-east-1")}
		e, ok := auditEvent(call, server.Record{Service: tt.service, Action: tt.operation, Code: "Broken"}, nil)
		if !ok || string(e.Parameters) != tt.parameters || e.Data != tt.data || e.UserAgent != "agent" || e.SourceIP != "192.0.2.1" || e.ErrorCode != "Broken" {
			t.Errorf("%s: got %v, %+v, parameters %.80s", name, ok, e, e.Parameters)
		}
	}
}

// A call from inside names its service; one whose sender is not known has no event.
func TestAuditEventFromInside(t *testing.T) {
	call := &wire.Call{Service: &wire.Service{Name: "sts", Protocol: wire.Query}, Operation: "AssumeRole",
		Caller: wire.Caller{Account: "000000000000", Service: "states.amazonaws.com"}, Resources: []string{"*", "arn:aws:iam::000000000000:role/r"}}
	e, ok := auditEvent(call, server.Record{}, nil)
	if !ok || e.SourceIP != "states.amazonaws.com" || e.Parameters != nil || len(e.Resources) != 1 {
		t.Errorf("got %v, %+v", ok, e)
	}
	call.Caller = wire.Caller{}
	if _, ok := auditEvent(call, server.Record{}, nil); ok {
		t.Error("a call of nobody has an event")
	}
}
