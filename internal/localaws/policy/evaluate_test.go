package policy

import (
	"fmt"
	"strings"
	"testing"
)

const (
	here  = "000000000000"
	there = "111111111111"
)

func worker(account string) Principal {
	return Principal{Kind: AssumedRole, Account: account, ID: "AROAWORKER0000000000:run",
		ARN:     "arn:aws:sts::" + account + ":assumed-role/worker/run",
		RoleARN: "arn:aws:iam::" + account + ":role/app/worker"}
}

func root(account string) Principal {
	return Principal{Kind: Root, Account: account, ARN: "arn:aws:iam::" + account + ":root"}
}

// must builds a document of one statement per line: effect, principal ("-" for
// none, "!" before a list that is NotPrincipal), action, resource.
func must(t testing.TB, kind Kind, lines ...string) *Document {
	t.Helper()
	var all []string
	for i, line := range lines {
		f := strings.Fields(line)
		s := fmt.Sprintf(`"Sid":"S%d","Effect":%q,"Action":%q`, i, f[0], f[2])
		if kind != Trust {
			s += fmt.Sprintf(`,"Resource":%q`, f[3])
		}
		who, not := strings.CutPrefix(f[1], "!")
		name := map[bool]string{false: "Principal", true: "NotPrincipal"}[not]
		switch {
		case who == "*":
			s += fmt.Sprintf(`,%q:"*"`, name)
		case strings.HasSuffix(who, ".amazonaws.com"):
			s += fmt.Sprintf(`,%q:{"Service":%q}`, name, who)
		case who != "-":
			s += fmt.Sprintf(`,%q:{"AWS":%q}`, name, who)
		}
		all = append(all, "{"+s+"}")
	}
	doc, err := Parse(kind, `{"Version":"2012-10-17","Statement":[`+strings.Join(all, ",")+`]}`)
	if err != nil {
		t.Fatalf("%v: %v", lines, err)
	}
	return doc
}

func TestEvaluate(t *testing.T) {
	one := func(d *Document) []*Document { return []*Document{d} }
	identity := func(lines ...string) *Document { return must(t, Identity, lines...) }
	resource := func(lines ...string) *Document { return must(t, Resource, lines...) }
	allowAll, allowGet := identity("Allow - * *"), identity("Allow - s3:GetObject arn:aws:s3:::b/*")
	role, session := worker(here).RoleARN, worker(here).ARN
	for _, c := range []struct {
		name string
		who  Principal
		p    Policies
		want string // "allow FROM" or the reason
	}{
		{"nothing", worker(here), Policies{}, "because no identity-based policy allows the s3:GetObject action"},
		{"identity", worker(here), Policies{Identity: one(allowGet)}, "allow identity-based"},
		{"second policy", worker(here), Policies{Identity: []*Document{identity("Allow - s3:PutObject *"), allowGet}}, "allow identity-based"},
		{"case of action", worker(here), Policies{Identity: one(identity("Allow - S3:getobject *"))}, "allow identity-based"},
		{"other resource", worker(here), Policies{Identity: one(identity("Allow - s3:* arn:aws:s3:::c/*"))}, "because no identity-based policy allows the s3:GetObject action"},
		{"identity deny", worker(here), Policies{Identity: one(identity("Allow - * *", "Deny - s3:Get* *"))}, "with an explicit deny in an identity-based policy"},
		{"resource deny", worker(here), Policies{Identity: one(allowAll), Resource: resource("Deny * s3:* *")}, "with an explicit deny in a resource-based policy"},
		{"resource denies another", worker(here), Policies{Identity: one(allowAll), Resource: resource("Deny " + there + " s3:* *")}, "allow identity-based"},
		{"resource denies all but me", worker(here), Policies{Identity: one(allowAll), Resource: resource("Deny !" + role + " s3:* *")}, "allow identity-based"},
		{"resource denies all but another", worker(here), Policies{Identity: one(allowAll), Resource: resource("Deny !arn:aws:iam::" + here + ":role/other s3:* *")}, "with an explicit deny in a resource-based policy"},
		{"boundary", worker(here), Policies{Identity: one(allowAll), Boundary: identity("Allow - sqs:* *")}, "because no permissions boundary allows the s3:GetObject action"},
		{"boundary deny", worker(here), Policies{Identity: one(allowAll), Boundary: identity("Deny - s3:* *")}, "with an explicit deny in a permissions boundary"},
		{"session", worker(here), Policies{Identity: one(allowAll), Session: one(identity("Allow - sqs:* *"))}, "because no session policy allows the s3:GetObject action"},
		{"session alone grants nothing", worker(here), Policies{Session: one(allowAll)}, "because no identity-based policy allows the s3:GetObject action"},
		{"session deny", worker(here), Policies{Identity: one(allowAll), Session: one(identity("Deny - s3:* *"))}, "with an explicit deny in a session policy"},
		{"resource to role", worker(here), Policies{Resource: resource("Allow " + role + " s3:* *")}, "allow resource-based"},
		{"resource to role, session limits", worker(here), Policies{Resource: resource("Allow " + role + " s3:* *"), Session: one(identity("Allow - sqs:* *"))}, "because no session policy allows the s3:GetObject action"},
		{"resource to session, session policy does not limit", worker(here), Policies{Resource: resource("Allow " + session + " s3:* *"), Session: one(identity("Allow - sqs:* *"))}, "allow resource-based"},
		{"resource to account needs identity", worker(here), Policies{Resource: resource("Allow " + here + " s3:* *")}, "because no identity-based policy allows the s3:GetObject action"},
		{"resource to account, identity too", worker(here), Policies{Identity: one(allowGet), Resource: resource("Allow " + here + " s3:* *")}, "allow identity-based"},
		{"across: identity alone", worker(there), Policies{Identity: one(allowAll), ResourceAccount: here}, "because no resource-based policy allows the s3:GetObject action"},
		{"across: resource alone", worker(there), Policies{Resource: resource("Allow " + there + " s3:* *"), ResourceAccount: here}, "because no identity-based policy allows the s3:GetObject action"},
		{"across: both", worker(there), Policies{Identity: one(allowGet), Resource: resource("Allow " + there + " s3:* *"), ResourceAccount: here}, "allow identity-based"},
		{"across: root", root(there), Policies{ResourceAccount: here}, "because no resource-based policy allows the s3:GetObject action"},
		{"across: root named", root(there), Policies{Resource: resource("Allow " + there + " s3:* *"), ResourceAccount: here}, "allow resource-based"},
		{"root", root(here), Policies{}, "allow root"},
		{"root denied by resource", root(here), Policies{Resource: resource("Deny * * *")}, "with an explicit deny in a resource-based policy"},
		{"key policy: identity alone", worker(here), Policies{Identity: one(allowAll), ResourceDecides: true}, "because no resource-based policy allows the s3:GetObject action"},
		{"key policy: delegates", worker(here), Policies{Identity: one(allowAll), Resource: resource("Allow arn:aws:iam::" + here + ":root * *"), ResourceDecides: true}, "allow identity-based"},
		{"key policy: names role", worker(here), Policies{Resource: resource("Allow " + role + " * *"), ResourceDecides: true}, "allow resource-based"},
		{"key policy: root not named", root(here), Policies{Resource: resource("Allow " + role + " * *"), ResourceDecides: true}, "because no resource-based policy allows the s3:GetObject action"},
		{"service", Principal{Kind: Service, Service: "logs.amazonaws.com"}, Policies{Resource: resource("Allow logs.amazonaws.com s3:* *")}, "allow resource-based"},
		{"service not named", Principal{Kind: Service, Service: "sns.amazonaws.com"}, Policies{Resource: resource("Allow logs.amazonaws.com s3:* *")}, "because no resource-based policy allows the s3:GetObject action"},
		{"anonymous", Principal{}, Policies{Resource: resource("Allow * s3:GetObject *")}, "allow resource-based"},
		{"anonymous, account named", Principal{}, Policies{Resource: resource("Allow " + here + " s3:GetObject *")}, "because no resource-based policy allows the s3:GetObject action"},
	} {
		d := Evaluate(Request{Principal: c.who, Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k"}, c.p)
		got := d.Reason
		if d.Allowed {
			got = "allow " + string(d.Source)
		}
		if got != c.want || d.Explicit != strings.HasPrefix(d.Reason, "with an explicit") {
			t.Errorf("%s: %q (explicit %v), want %q", c.name, got, d.Explicit, c.want)
		}
	}
}

func TestTrust(t *testing.T) {
	trust := must(t, Trust, "Allow lambda.amazonaws.com sts:AssumeRole", "Allow arn:aws:iam::"+here+":role/app/worker sts:AssumeRole")
	p := Policies{Resource: trust, ResourceDecides: true, ResourceAccount: here}
	ask := func(who Principal) bool {
		return Evaluate(Request{Principal: who, Action: "sts:AssumeRole", Resource: "arn:aws:iam::000000000000:role/target"}, p).Allowed
	}
	if !ask(worker(here)) || !ask(Principal{Kind: Service, Service: "lambda.amazonaws.com"}) {
		t.Error("a trusted principal is refused")
	}
	if ask(worker(there)) || ask(root(here)) || ask(Principal{Kind: Service, Service: "ecs-tasks.amazonaws.com"}) {
		t.Error("an untrusted principal is let in")
	}
}

func ExampleDecision_Message() {
	r := Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::data/secret.csv",
		Principal: Principal{Kind: AssumedRole, Account: here, ARN: "arn:aws:sts::000000000000:assumed-role/worker/run"}}
	fmt.Println(Evaluate(r, Policies{}).Message(r))
	// Output: User: arn:aws:sts::000000000000:assumed-role/worker/run is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::data/secret.csv" because no identity-based policy allows the s3:GetObject action
}

func BenchmarkEvaluate(b *testing.B) {
	doc, err := Parse(Identity, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["s3:GetObject","s3:List*"],
		"Resource":["arn:aws:s3:::data","arn:aws:s3:::data/*"],"Condition":{"StringEquals":{"aws:PrincipalTag/team":["a","b"]},
		"Bool":{"aws:SecureTransport":true},"NumericLessThan":{"s3:max-keys":10}}}}`)
	if err != nil {
		b.Fatal(err)
	}
	other := must(b, Identity, "Allow - logs:* *", "Allow - kms:Decrypt arn:aws:kms:*:*:key/*", "Allow - athena:* *",
		"Allow - glue:Get* arn:aws:glue:*:*:*", "Allow - s3:PutObject arn:aws:s3:::out/*")
	bucket := must(b, Resource, "Deny "+there+" s3:* *", "Allow "+worker(here).RoleARN+" s3:ListBucket *")
	r := Request{Principal: worker(here), Action: "s3:GetObject", Resource: "arn:aws:s3:::data/year=2026/part-0001.parquet",
		Keys: Keys{"aws:principaltag/team": {"b"}, "aws:securetransport": {"true"}, "s3:max-keys": {"3"}}}
	p := Policies{Identity: []*Document{other, doc}, Resource: bucket, Session: []*Document{doc}}
	if !Evaluate(r, p).Allowed {
		b.Fatal("denied")
	}
	b.ReportAllocs()
	for b.Loop() {
		Evaluate(r, p)
	}
}
