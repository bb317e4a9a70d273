package ledger

import (
	"errors"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"engage/internal/localaws/provider/kind"
	"engage/internal/localaws/provider/value"
	"engage/internal/localaws/state"
)

const (
	testAccount = "123456789012"
	testRegion  = "us-east-1"
)

// book is a ledger over a store, as a restart leaves and finds it.
type book struct {
	t     *testing.T
	dir   string
	store *state.Store
	kinds map[string]kind.Kind
	specs map[string]Spec
	rand  *rand.ChaCha8
}

func open(t *testing.T) *book {
	b := &book{t: t, dir: t.TempDir(), rand: rand.NewChaCha8([32]byte{1})}
	b.start()
	t.Cleanup(func() { _ = b.store.Close() })
	return b
}

func (b *book) start() {
	store, err := state.Open(b.dir)
	if err != nil {
		b.t.Fatal(err)
	}
	b.store, b.kinds, b.specs = store, map[string]kind.Kind{}, map[string]Spec{}
	cfg := Config{
		Store: store, Rand: b.rand, Partition: "aws", Account: testAccount, Region: testRegion,
		Now: func() time.Time { return time.Date(2026, 11, 5, 0, 0, 0, 0, time.UTC) },
	}
	specs := Specs()
	for i, k := range Kinds(cfg, specs) {
		b.kinds[k.Token], b.specs[k.Token] = k, specs[i]
	}
}

func (b *book) restart() {
	if err := b.store.Close(); err != nil {
		b.t.Fatal(err)
	}
	b.start()
}

// create makes a resource of checked inputs.
func (b *book) create(token string, in value.Map) (string, value.Map) {
	b.t.Helper()
	k := b.kinds[token]
	in, failures := k.Check(nil, in, "test", []byte{1, 2, 3, 4})
	if len(failures) > 0 {
		b.t.Fatalf("%s: %v", token, failures)
	}
	id, out, err := k.Plane.Create(b.t.Context(), in)
	if err != nil {
		b.t.Fatalf("%s: %v", token, err)
	}
	return id, out
}

func (b *book) read(token, id string) value.Map {
	b.t.Helper()
	now, err := b.kinds[token].Plane.Read(b.t.Context(), id, nil)
	if err != nil {
		b.t.Fatalf("%s %s: %v", token, id, err)
	}
	return now
}

// sample makes the least inputs that a kind takes, and what they refer to.
func (b *book) sample(token string) value.Map {
	b.t.Helper()
	s := b.specs[token]
	in := b.least(s.Kind.Inputs)
	for _, r := range s.Refs {
		p := s.Kind.Inputs[r.Property]
		if !p.Required {
			continue
		}
		id := b.make(r.Token)
		if p.Type == kind.String {
			in[r.Property] = id
		} else {
			in[r.Property] = []any{id}
		}
	}
	switch token { // what came with a network, and what an identifier is made of
	case "aws:ec2/defaultNetworkAcl:DefaultNetworkAcl", "aws:ec2/defaultRouteTable:DefaultRouteTable":
		name := map[bool]string{true: "defaultNetworkAclId", false: "defaultRouteTableId"}[strings.Contains(token, "Acl")]
		in[name] = b.read(vpcToken, b.make(vpcToken))[name]
	case "aws:ec2/routeTableAssociation:RouteTableAssociation":
		in["subnetId"] = b.make(subnetToken)
	case "aws:securityhub/standardsSubscription:StandardsSubscription":
		in["standardsArn"] = "arn:aws:securityhub:us-east-1::standards/nist-800-53/v/5.0.0"
	}
	return in
}

func (b *book) make(token string) string {
	b.t.Helper()
	id, _ := b.create(token, b.sample(token))
	return id
}

// least gives every required property a value of its type.
func (b *book) least(specs kind.Object) value.Map {
	in := value.Map{}
	for name, p := range specs {
		if p.Required && p.Default == nil {
			in[name] = b.value(name, p)
		}
	}
	return in
}

func (b *book) value(name string, p kind.Property) any {
	switch p.Type {
	case kind.Bool:
		return true
	case kind.Number:
		return p.Min
	case kind.Dict:
		return value.Map{"k": "v"}
	case kind.Document:
		return "{}"
	case kind.Nested:
		return b.least(p.Fields)
	case kind.List, kind.Set:
		of := kind.Property{}
		if p.Of != nil {
			of = *p.Of
		}
		return []any{b.value(name, of)}
	}
	if len(p.Enum) > 0 {
		return p.Enum[0]
	}
	return "test-" + name
}

// Every kind can be made of what it requires; it gives each output and each
// input that the service chooses, and reads back as it was made.
func TestEveryKind(t *testing.T) {
	for _, s := range Specs() {
		token := s.Kind.Token
		t.Run(strings.ReplaceAll(token, "/", "."), func(t *testing.T) {
			b := open(t)
			k := b.kinds[token]
			in, failures := k.Check(nil, b.sample(token), "test", []byte{1, 2, 3, 4})
			if len(failures) > 0 {
				t.Fatal(failures)
			}
			id, out, err := k.Plane.Create(t.Context(), in)
			if err != nil || id == "" {
				t.Fatalf("made %q: %v", id, err)
			}
			promised(t, k, in, out)
			now := b.read(token, id)
			if !value.Equal(now, value.Merge(in, out)) {
				t.Errorf("was made as\n%v\nand reads as\n%v", value.Merge(in, out), now)
			}
			if got := k.Refresh(in, now, nil, false); !value.Equal(got, in) {
				t.Errorf("looks as if it had drifted: %v became %v", in, got)
			}
			again, err := k.Plane.Update(t.Context(), id, now, in)
			if err != nil || !stable(out, again) {
				t.Errorf("an update without change changed\n%v\nto\n%v: %v", out, again, err)
			}
			b.restart()
			if !value.Equal(b.read(token, id), value.Merge(in, again)) {
				t.Error("a restart forgot something")
			}
			gone(t, b.kinds[token], id)
		})
	}
}

// promised fails for an output or a computed input that has no value.
func promised(t *testing.T, k kind.Kind, in, out value.Map) {
	t.Helper()
	for _, name := range k.Output {
		if _, there := out[name]; !there && name != "tagsAll" {
			t.Errorf("output %s has no value", name)
		}
	}
	for name, p := range k.Inputs {
		_, given := in[name]
		if _, there := out[name]; p.Computed && !given && !there {
			t.Errorf("computed input %s has no value", name)
		}
	}
}

// stable tells whether two outputs are one, but for tokens that change with each
// update.
func stable(a, b value.Map) bool {
	drop := value.Map{"updateToken": nil}
	return value.Equal(value.Merge(a, drop), value.Merge(b, drop))
}

func gone(t *testing.T, k kind.Kind, id string) {
	t.Helper()
	for range 2 { // what is gone can be deleted again
		if err := k.Plane.Delete(t.Context(), id, nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := k.Plane.Read(t.Context(), id, nil); !errors.Is(err, kind.ErrNotFound) {
		t.Errorf("read after delete: %v", err)
	}
	if _, err := k.Plane.Update(t.Context(), id, nil, value.Map{}); !errors.Is(err, kind.ErrNotFound) {
		t.Errorf("update after delete: %v", err)
	}
}

// Identifiers and ARNs have the forms of AWS's documentation.
// https://docs.aws.amazon.com/service-authorization/latest/reference/
func TestIdentifiers(t *testing.T) {
	const here = `:us-east-1:123456789012:`
	for token, want := range map[string]struct{ id, output, form string }{
		vpcToken:                                 {`vpc-[0-9a-f]{17}`, "arn", `arn:aws:ec2` + here + `vpc/vpc-[0-9a-f]{17}`},
		subnetToken:                              {`subnet-[0-9a-f]{17}`, "availabilityZoneId", `use1-az1`},
		routeTableToken:                          {`rtb-[0-9a-f]{17}`, "ownerId", testAccount},
		groupToken:                               {`sg-[0-9a-f]{17}`, "arn", `arn:aws:ec2` + here + `security-group/sg-[0-9a-f]{17}`},
		"aws:ec2/networkAcl:NetworkAcl":          {`acl-[0-9a-f]{17}`, "arn", `arn:aws:ec2` + here + `network-acl/acl-.*`},
		"aws:ec2/vpcEndpoint:VpcEndpoint":        {`vpce-[0-9a-f]{17}`, "prefixListId", `pl-[0-9a-f]{8}`},
		"aws:ec2/flowLog:FlowLog":                {`fl-[0-9a-f]{17}`, "arn", `arn:aws:ec2` + here + `vpc-flow-log/fl-.*`},
		"aws:guardduty/detector:Detector":        {`[0-9a-f]{32}`, "arn", `arn:aws:guardduty` + here + `detector/[0-9a-f]{32}`},
		"aws:securityhub/account:Account":        {testAccount, "arn", `arn:aws:securityhub` + here + `hub/default`},
		"aws:cfg/rule:Rule":                      {`test-name`, "arn", `arn:aws:config` + here + `config-rule/config-rule-[0-9a-f]{6}`},
		"aws:cloudwatch/dashboard:Dashboard":     {`test-dashboardName`, "dashboardArn", `arn:aws:cloudwatch::123456789012:dashboard/test-dashboardName`},
		"aws:cloudwatch/metricAlarm:MetricAlarm": {`test-name`, "arn", `arn:aws:cloudwatch` + here + `alarm:test-name`},
		"aws:budgets/budget:Budget":              {`123456789012:test-name`, "timePeriodStart", `2026-11-01_00:00`},
		"aws:cloudhsmv2/cluster:Cluster":         {`cluster-[0-9a-z]{11}`, "securityGroupId", `sg-[0-9a-f]{17}`},
		"aws:securityhub/standardsSubscription:StandardsSubscription": {`arn:aws:securityhub` + here + `subscription/nist-800-53/v/5.0.0`, "", ""},
		"aws:accessanalyzer/analyzer:Analyzer":                        {`test-analyzerName`, "arn", `arn:aws:access-analyzer` + here + `analyzer/test-analyzerName`},
		"aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule":     {`sgr-[0-9a-f]{17}`, "securityGroupRuleId", `sgr-[0-9a-f]{17}`},
	} {
		b := open(t)
		id, out := b.create(token, b.sample(token))
		if !regexp.MustCompile(`^` + want.id + `$`).MatchString(id) {
			t.Errorf("%s: identifier %s", token, id)
		}
		if want.output != "" && !regexp.MustCompile(`^`+want.form+`$`).MatchString(value.String(out, want.output)) {
			t.Errorf("%s: %s is %v", token, want.output, out[want.output])
		}
	}
}

func TestReferences(t *testing.T) {
	b := open(t)
	vpc := b.make(vpcToken)
	subnet := b.kinds[subnetToken]
	in := value.Map{"vpcId": "vpc-nowhere", "cidrBlock": "10.0.0.0/20"}
	if _, _, err := subnet.Plane.Create(t.Context(), in); err == nil || !strings.Contains(err.Error(), "vpcId: vpc-nowhere does not exist") {
		t.Errorf("a subnet was made nowhere: %v", err)
	}
	id, _ := b.create(subnetToken, value.Map{"vpcId": vpc, "cidrBlock": "10.0.0.0/20"})
	err := b.kinds[vpcToken].Plane.Delete(t.Context(), vpc, nil)
	if err == nil || !strings.Contains(err.Error(), "DependencyViolation: "+vpc+" is used by "+id) {
		t.Errorf("a network went from under its subnet: %v", err)
	}
	if _, err := subnet.Plane.Update(t.Context(), id, nil, in); err == nil {
		t.Error("a subnet was moved nowhere")
	}
	b.read(vpcToken, vpc)
	for _, step := range []struct{ token, id string }{{subnetToken, id}, {vpcToken, vpc}} {
		if err := b.kinds[step.token].Plane.Delete(t.Context(), step.id, nil); err != nil {
			t.Error(err)
		}
	}
}

// What has a name of its own exists once.
func TestTwice(t *testing.T) {
	b := open(t)
	const token = "aws:cfg/recorder:Recorder"
	in := value.Map{"name": "default", "roleArn": "arn:aws:iam::123456789012:role/r"}
	b.create(token, in)
	if _, _, err := b.kinds[token].Plane.Create(t.Context(), in); err == nil || !strings.Contains(err.Error(), "default exists already; delete it or import it") {
		t.Errorf("got %v", err)
	}
}

// What a network comes with belongs to it and keeps its identity.
func TestDefaults(t *testing.T) {
	b := open(t)
	vpc, out := b.create(vpcToken, value.Map{"cidrBlock": "10.0.0.0/16"})
	group, _ := b.create("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", value.Map{"vpcId": vpc})
	if group != out["defaultSecurityGroupId"] {
		t.Errorf("the default group is %s, and the network says %v", group, out["defaultSecurityGroupId"])
	}
	_, acl := b.create("aws:ec2/defaultNetworkAcl:DefaultNetworkAcl", value.Map{"defaultNetworkAclId": out["defaultNetworkAclId"]})
	if acl["vpcId"] != vpc {
		t.Errorf("the default ACL belongs to %v, not %s", acl["vpcId"], vpc)
	}
	changed, err := b.kinds[vpcToken].Plane.Update(t.Context(), vpc, nil, value.Map{"cidrBlock": "10.0.0.0/16", "enableDnsHostnames": true})
	if err != nil || !value.Equal(changed, out) {
		t.Errorf("an update changed what the network came with: %v, %v", changed, err)
	}
}

// An interface endpoint has an address in each subnet, and keeps them.
func TestEndpointAddresses(t *testing.T) {
	b := open(t)
	vpc := b.make(vpcToken)
	one, _ := b.create(subnetToken, value.Map{"vpcId": vpc, "cidrBlock": "10.0.0.0/20"})
	two, _ := b.create(subnetToken, value.Map{"vpcId": vpc, "cidrBlock": "10.0.16.0/20"})
	const token = "aws:ec2/vpcEndpoint:VpcEndpoint"
	in := value.Map{"vpcId": vpc, "serviceName": "com.amazonaws.us-east-1.sqs", "vpcEndpointType": "Interface", "subnetIds": []any{one, two}}
	id, out := b.create(token, in)
	if len(value.List(out, "networkInterfaceIds")) != 2 || len(value.List(out, "dnsEntries")) == 0 || out["prefixListId"] != "" {
		t.Errorf("got %v", out)
	}
	again, err := b.kinds[token].Plane.Update(t.Context(), id, nil, in)
	if err != nil || !value.Equal(again["networkInterfaceIds"], out["networkInterfaceIds"]) {
		t.Errorf("the addresses changed: %v, %v", again, err)
	}
}
