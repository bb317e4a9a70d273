package policy

import (
	"errors"
	"strings"
	"testing"
)

const good = `{
  "Version": "2012-10-17",
  "Id": "x",
  "Statement": [
    {"Sid": "Read", "Effect": "Allow", "Action": ["s3:GetObject", "s3:List*"], "Resource": "arn:aws:s3:::data/*",
     "Condition": {"StringEquals": {"aws:PrincipalTag/team": ["a", "b"]}, "Bool": {"aws:SecureTransport": true},
                   "NumericLessThan": {"s3:max-keys": 10}}},
    {"Effect": "Deny", "NotAction": "iam:*", "NotResource": ["arn:aws:iam::*:role/*"]}
  ]
}`

func TestParseGood(t *testing.T) {
	doc, err := Parse(Identity, good)
	if err != nil {
		t.Fatal(err)
	}
	if doc.Len() != 2 || doc.ID != "x" || len(doc.statements[0].conditions) != 3 {
		t.Errorf("parsed %+v", doc)
	}
}

func TestParseProblems(t *testing.T) {
	statement := func(inner string) string { return `{"Version":"2012-10-17","Statement":{` + inner + `}}` }
	for _, c := range []struct {
		kind Kind
		text string
		want string
	}{
		{Identity, `{`, msgSyntax},
		{Identity, `[]`, msgSyntax},
		{Identity, `{"Version":"2012-10-17"}`, msgSyntax},
		{Identity, `{"Version":"2012-10-17","Statement":[]}`, msgSyntax},
		{Identity, `{"Version":"2012-10-17","Statement":[],"Extra":1}`, "Extra"},
		{Identity, `{"Version":"2020-01-01","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`, "2020-01-01"},
		{Identity, `{"Version":"2008-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`, msgVersion},
		{Identity, `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`, msgVersion},
		{Identity, statement(`"Effect":"allow","Action":"*","Resource":"*"`), msgLegacy},
		{Identity, statement(`"Effect":"Perhaps","Action":"*","Resource":"*"`), msgSyntax},
		{Identity, statement(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"DateLessThan":{"a":"tomorrow"}}`), msgLegacy},
		{Identity, statement(`"Action":"*","Resource":"*"`), "no Effect"},
		{Identity, statement(`"Effect":"Allow","Effect":"Deny","Action":"*","Resource":"*"`), "Effect twice"},
		{Identity, statement(`"Effect":"Allow","Resource":"*"`), msgNoActions},
		{Identity, statement(`"Effect":"Allow","Action":[],"Resource":"*"`), msgNoActions},
		{Identity, statement(`"Effect":"Allow","Action":"*","NotAction":"*","Resource":"*"`), "both Action and NotAction"},
		{Identity, statement(`"Effect":"Allow","Action":"*"`), msgNoResources},
		{Identity, statement(`"Effect":"Allow","Action":"get","Resource":"*"`), msgNoVendor},
		{Identity, statement(`"Effect":"Allow","Action":"a:b:c","Resource":"*"`), msgColons},
		{Identity, statement(`"Effect":"Allow","Action":"a b:c","Resource":"*"`), "Vendor a b is not valid"},
		{Identity, statement(`"Effect":"Allow","Action":5,"Resource":"*"`), "must be a string, not a number"},
		{Identity, statement(`"Effect":"Allow","Action":"*","Resource":"bucket"`), `Resource bucket must be in ARN format or "*".`},
		{Identity, statement(`"Effect":"Allow","Action":"*","Resource":"arn:x:s3:::b"`), `Partition "x" is not valid for resource "arn:x:s3:::b".`},
		{Identity, statement(`"Effect":"Allow","Action":"*","Resource":"a:bc"`), `Partition "bc" is not valid for resource "arn:bc:*:*:*:*".`},
		{Identity, statement(`"Effect":"Allow","Action":"*","Resource":"arn:aws::x"`), msgLegacy},
		{Identity, statement(`"Effect":"Allow","Action":"*","Resource":"arn:aws:s*:::b"`), msgResourceVendor},
		{Identity, statement(`"Effect":"Allow","Action":"*","Resource":"arn:aws:s3::b"`), msgLegacy},
		{Identity, statement(`"Effect":"Allow","Action":"*","Resource":"arn:aws:iam:::b"`), msgIAMPath},
		{Identity, statement(`"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:eu-west-1::b"`), "can not contain region information"},
		{Identity, statement(`"Effect":"Allow","Action":"*","Resource":"arn:aws:iam:eu-west-1::role/b"`), "cannot contain region information"},
		{Identity, statement(`"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${a"`), "no closing brace"},
		{Identity, statement(`"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"`), msgHasPrincipal},
		{Identity, statement(`"Sid":"a b","Effect":"Allow","Action":"*","Resource":"*"`), msgSIDForm},
		{Identity, statement(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Nope":{"a":"b"}}`), `unknown condition operator "Nope"`},
		{Identity, statement(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"a":null}}`), "not null"},
		{Identity, statement(`"Effect":"Allow","Action":"*","Resource":"*","Condition":[]`), "must be an object"},
		{Resource, statement(`"Effect":"Allow","Principal":"*","Action":"ecr:ListImages"`), msgNoResources},
		{Repository, statement(`"Effect":"Allow","Action":"ecr:ListImages"`), msgNoPrincipal},
		{Trust, statement(`"Effect":"Allow","Action":"sts:AssumeRole"`), msgNoPrincipal},
		{Trust, statement(`"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*","Resource":"*"`), msgHasResource},
		{Trust, statement(`"Effect":"Allow","Action":"s3:GetObject","Principal":"*"`), msgTrustActions},
		{Trust, statement(`"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"bob"}`), `Invalid principal in policy: "AWS":"bob"`},
		{Trust, statement(`"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"*"}`), `Invalid principal in policy`},
		{Trust, statement(`"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"arn:aws:iam::000000000000:role/*"}`), `Invalid principal`},
		{Trust, statement(`"Effect":"Allow","Action":"sts:AssumeRole","NotPrincipal":{"AWS":"*"}`), msgNotPrincipal},
		{Trust, statement(`"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Robot":"x"}`), `unknown element "Robot"`},
		{Resource, statement(`"Effect":"Allow","Action":"s3:*","Resource":"*"`), msgNoPrincipal},
		{Resource, `{"Version":"2012-10-17","Statement":[
			{"Sid":"a","Effect":"Deny","Action":"*","Resource":"*","Principal":"*"},
			{"Sid":"a","Effect":"Deny","Action":"*","Resource":"*","Principal":"*"}]}`, msgUniqueSID},
	} {
		_, err := Parse(c.kind, c.text)
		var refused *Error
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s\n got %v\nwant %s", c.text, err, c.want)
		}
	}
}

func TestEveryProblemIsReported(t *testing.T) {
	_, err := Parse(Identity, `{"Version":"2012-10-17",
"Statement":[{"Effect":"Perhaps","Action":"get","Resource":"bucket"},
{"Principal":"*"}]}`)
	var refused *Error
	if !errors.As(err, &refused) || len(refused.Problems) != 7 {
		t.Fatalf("got %v", err)
	}
	if refused.Message() != msgSyntax || refused.Problems[0].Line != 2 || refused.Problems[6].Line != 3 {
		t.Errorf("got %+v", refused.Problems)
	}
}

// AWS looks for some problems before others, wherever they stand.
func TestMessageOrder(t *testing.T) {
	for text, want := range map[string]string{
		`{"Statement":[{"Sid":"a","Effect":"Allow"},{"Sid":"a","Effect":"denY"}]}`:                        msgVersion,
		`{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow"},{"Sid":"a","Effect":"denY"}]}`: msgLegacy,
		`{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow"},{"Sid":"a","Effect":"Deny"}]}`: msgUniqueSID,
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Resource":"x"}}`:                          msgNoActions,
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"get"}}`:                          msgNoVendor,
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s:3:get","Resource":"x"}}`:       `Resource x must be in ARN format or "*".`,
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:Get","Resource":"*","X":{}}}`: msgSyntax,
	} {
		_, err := Parse(Identity, text)
		var refused *Error
		if !errors.As(err, &refused) || refused.Message() != want {
			t.Errorf("%s:\n got %v\nwant %s", text, err, want)
		}
	}
	if _, err := Parse(Identity, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam: a b ","Resource":"arn:aws:x","Condition":{"a":{},"Bool":{"b":[]}}}}`); err != nil {
		t.Errorf("AWS takes this: %v", err)
	}
}

func TestVariablesAreTextInTheOldLanguage(t *testing.T) {
	doc, err := Parse(Resource, `{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/${aws:username}"}}`)
	if err != nil {
		t.Fatal(err)
	}
	r := Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/${aws:username}"}
	if !Evaluate(r, Policies{Resource: doc}).Allowed {
		t.Error("the old language filled in a variable")
	}
}

func TestPrincipalARNsAndPublic(t *testing.T) {
	doc, err := Parse(Trust, `{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{
		"AWS":["000000000000","arn:aws:iam::000000000000:role/b","arn:aws:iam::000000000000:role/a"],"Service":"lambda.amazonaws.com"}}}`)
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(doc.PrincipalARNs(), " ")
	if got != "arn:aws:iam::000000000000:role/a arn:aws:iam::000000000000:role/b" || doc.Public() {
		t.Errorf("principals %q, public %v", got, doc.Public())
	}
}

func FuzzParse(f *testing.F) {
	f.Add(good)
	f.Add(`{"Statement":{"Effect":"Deny","NotPrincipal":{"AWS":["1"]},"Action":"s3:*","Resource":"*"}}`)
	f.Add(strings.Repeat("[", 100))
	f.Fuzz(func(t *testing.T, text string) {
		for _, kind := range []Kind{Identity, Trust, Resource} {
			doc, err := Parse(kind, text)
			var refused *Error
			if (doc == nil) != (err != nil) || err != nil && !errors.As(err, &refused) {
				t.Fatalf("doc %v, error %v", doc, err)
			}
			if err == nil {
				Evaluate(Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k"}, Policies{Resource: doc, Identity: []*Document{doc}})
			}
		}
	})
}
