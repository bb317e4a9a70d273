package function

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"

	"engage/internal/localaws/provider/value"
)

var table = New("aws", "123456789012", "eu-central-1")

func call(t *testing.T, token string, args value.Map) (value.Map, error) {
	t.Helper()
	f, err := table.Find(token)
	if err != nil {
		t.Fatal(err)
	}
	return f(t.Context(), args)
}

func TestWhoAndWhere(t *testing.T) {
	for token, want := range map[string]value.Map{
		"aws:index/getCallerIdentity:getCallerIdentity": {"accountId": "123456789012", "arn": "arn:aws:iam::123456789012:root"},
		"aws:index/getRegion:getRegion":                 {"name": "eu-central-1", "endpoint": "ec2.eu-central-1.amazonaws.com"},
		"aws:index/getPartition:getPartition":           {"partition": "aws", "dnsSuffix": "amazonaws.com"},
		"aws:index/getAvailabilityZones:getAvailabilityZones": {
			"names": []any{"eu-central-1a", "eu-central-1b", "eu-central-1c"}, "zoneIds": []any{"euc1-az1", "euc1-az2", "euc1-az3"},
		},
	} {
		got, err := call(t, token, value.Map{})
		if err != nil {
			t.Errorf("%s: %v", token, err)
		}
		for name, v := range want {
			if !reflect.DeepEqual(got[name], v) {
				t.Errorf("%s: %s is %v, want %v", token, name, got[name], v)
			}
		}
	}
}

func TestZones(t *testing.T) {
	const token = "aws:index/getAvailabilityZones:getAvailabilityZones"
	got, err := call(t, token, value.Map{"excludeNames": []any{"eu-central-1b"}, "excludeZoneIds": []any{"euc1-az1"}})
	if err != nil || !reflect.DeepEqual(got["names"], []any{"eu-central-1c"}) {
		t.Errorf("got %v, %v", got["names"], err)
	}
	if got, _ := call(t, token, value.Map{"state": "unavailable"}); len(value.List(got, "names")) != 0 {
		t.Errorf("got %v", got["names"])
	}
	refused(t, token, value.Map{"filters": []any{value.Map{}}}, "filters")
}

// The identifiers are those of AWS's own documentation.
// https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-availability-zones.html
func TestZoneID(t *testing.T) {
	for zone, want := range map[string]string{
		"us-east-1a": "use1-az1", "us-west-2c": "usw2-az3", "eu-central-1b": "euc1-az2", "ap-southeast-2a": "apse2-az1",
		"ap-northeast-1d": "apne1-az4", "sa-east-1a": "sae1-az1", "us-gov-west-1a": "usgw1-az1", "ca-central-1a": "cac1-az1", "nonsense": "",
	} {
		if got := ZoneID(zone); got != want {
			t.Errorf("%s: got %s, want %s", zone, got, want)
		}
	}
}

func refused(t *testing.T, token string, args value.Map, name string) {
	t.Helper()
	_, err := call(t, token, args)
	var bad *ArgumentError
	if !errors.As(err, &bad) || bad.Name != name {
		t.Errorf("%s of %v: got %v, want a refusal of %s", token, args, err, name)
	}
}

func TestRefusals(t *testing.T) {
	refused(t, "aws:index/getRegion:getRegion", value.Map{"name": "us-east-1"}, "name")
	document := "aws:iam/getPolicyDocument:getPolicyDocument"
	refused(t, document, value.Map{"sourceJson": "{}"}, "sourceJson")
	refused(t, document, value.Map{"overridePolicyDocuments": []any{"{}"}}, "overridePolicyDocuments")
	refused(t, document, value.Map{"statements": []any{value.Map{"conditions": []any{value.Map{"test": "StringEquals"}}}}}, "statements[0]")
	refused(t, document, value.Map{"statements": []any{"text"}}, "statements[0]")
	var unknown *NotKnownError
	if _, err := table.Find("aws:ec2/getAmi:getAmi"); !errors.As(err, &unknown) || unknown.Token != "aws:ec2/getAmi:getAmi" {
		t.Errorf("got %v", err)
	}
	var none Table
	if _, err := none.Find("aws:index/getRegion:getRegion"); err == nil {
		t.Error("a table of nothing found something")
	}
}

func TestPolicyDocument(t *testing.T) {
	out, err := call(t, "aws:iam/getPolicyDocument:getPolicyDocument", value.Map{"policyId": "p", "statements": []any{
		value.Map{
			"sid": "One", "actions": []any{"s3:PutObject", "s3:GetObject"}, "resources": []any{"arn:aws:s3:::b/*"},
			"principals": []any{value.Map{"type": "Service", "identifiers": []any{"lambda.amazonaws.com"}}},
			"conditions": []any{
				value.Map{"test": "StringEquals", "variable": "aws:SourceAccount", "values": []any{"1"}},
				value.Map{"test": "StringEquals", "variable": "aws:PrincipalOrgID", "values": []any{"o", "n"}},
			},
		},
		value.Map{"effect": "Deny", "notActions": []any{"s3:*"}, "notResources": []any{"*"}, "notPrincipals": []any{value.Map{"type": "*", "identifiers": []any{"*"}}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"Id":"p","Statement":[{"Action":["s3:GetObject","s3:PutObject"],"Condition":{"StringEquals":{"aws:PrincipalOrgID":["n","o"],` +
		`"aws:SourceAccount":"1"}},"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Resource":"arn:aws:s3:::b/*","Sid":"One"},` +
		`{"Effect":"Deny","NotAction":"s3:*","NotPrincipal":"*","NotResource":"*"}],"Version":"2012-10-17"}`
	if out["minifiedJson"] != want {
		t.Errorf("got\n%s\nwant\n%s", out["minifiedJson"], want)
	}
	var pretty, flat any
	if json.Unmarshal([]byte(value.String(out, "json")), &pretty) != nil || json.Unmarshal([]byte(want), &flat) != nil || !reflect.DeepEqual(pretty, flat) {
		t.Errorf("the two forms differ: %s", out["json"])
	}
}
