package policy

import "testing"

func TestConditions(t *testing.T) {
	keys := Keys{}
	keys.Set("aws:SourceIp", "10.1.2.3")
	keys.Set("ip6", "2001:db8::1")
	keys.Set("n", "12.50")
	keys.Set("when", "2026-11-23T10:00:00Z")
	keys.Set("epoch", "1795428000")
	keys.Set("secure", "true")
	keys.Set("s", "Blue")
	keys.Set("arn", "arn:aws:iam::000000000000:role/app/worker")
	keys.Set("tags", "a", "b")
	keys.Set("none")
	keys.Set("bin", "QUJD")
	keys.Set("bad", "not a number, date, address or boolean")
	for _, c := range []struct {
		op, key string
		values  []string
		want    bool
	}{
		{"StringEquals", "s", []string{"Red", "Blue"}, true},
		{"StringEquals", "S", []string{"blue"}, false},
		{"StringEqualsIgnoreCase", "s", []string{"bLUE"}, true},
		{"StringNotEqualsIgnoreCase", "s", []string{"bLUE"}, false},
		{"StringNotEquals", "s", []string{"Red", "Blue"}, false},
		{"StringNotEquals", "s", []string{"Red", "Green"}, true},
		{"StringNotEquals", "absent", []string{"x"}, true},
		{"StringEquals", "absent", []string{"x"}, false},
		{"StringEqualsIfExists", "absent", []string{"x"}, true},
		{"StringEqualsIfExists", "s", []string{"x"}, false},
		{"StringEquals", "s", []string{"${s}"}, true},
		{"StringEquals", "s", []string{"${absent}"}, false},
		{"StringNotEquals", "s", []string{"${absent}"}, true},
		{"StringLike", "s", []string{"B*e"}, true},
		{"StringNotLike", "s", []string{"B*e"}, false},
		{"ArnLike", "arn", []string{"arn:aws:iam::*:role/app/*"}, true},
		{"ArnEquals", "arn", []string{"arn:aws:iam::000000000000:role/*"}, true},
		{"ArnLike", "arn", []string{"arn:aws:iam:*:role/app/worker"}, false},
		{"ArnNotLike", "arn", []string{"arn:aws:iam::*:role/other"}, true},
		{"ArnNotEquals", "arn", []string{"arn:aws:iam::000000000000:role/app/worker"}, false},
		{"NumericEquals", "n", []string{"12.5"}, true},
		{"NumericNotEquals", "n", []string{"12.5"}, false},
		{"NumericLessThan", "n", []string{"12.5"}, false},
		{"NumericLessThanEquals", "n", []string{"12.5"}, true},
		{"NumericGreaterThan", "n", []string{"-3"}, true},
		{"NumericGreaterThanEquals", "n", []string{"13"}, false},
		{"NumericLessThan", "bad", []string{"1"}, false},
		{"DateEquals", "when", []string{"1795428000"}, true},
		{"DateEquals", "epoch", []string{"2026-11-23T10:00:00+00:00"}, true},
		{"DateNotEquals", "when", []string{"2026-11-23"}, true},
		{"DateLessThan", "when", []string{"2026-11-24"}, true},
		{"DateLessThanEquals", "when", []string{"2026-11-23T10:00:00Z"}, true},
		{"DateGreaterThan", "when", []string{"2026-11-23T12:00:00+02:00"}, false},
		{"DateGreaterThanEquals", "when", []string{"2026-11"}, true},
		{"DateGreaterThan", "bad", []string{"2026-01-01"}, false},
		{"Bool", "secure", []string{"True"}, true},
		{"Bool", "secure", []string{"false"}, false},
		{"Bool", "absent", []string{"false"}, false},
		{"BoolIfExists", "absent", []string{"false"}, true},
		{"BinaryEquals", "bin", []string{"QUJD"}, true},
		{"BinaryEquals", "bin", []string{"QUJE"}, false},
		{"IpAddress", "aws:sourceip", []string{"10.0.0.0/8"}, true},
		{"IpAddress", "aws:sourceip", []string{"10.1.2.3"}, true},
		{"NotIpAddress", "aws:sourceip", []string{"10.0.0.0/8"}, false},
		{"IpAddress", "ip6", []string{"2001:db8::/32"}, true},
		{"IpAddress", "bad", []string{"0.0.0.0/0"}, false},
		{"Null", "absent", []string{"true"}, true},
		{"Null", "absent", []string{"false"}, false},
		{"Null", "s", []string{"false"}, true},
		{"Null", "none", []string{"true"}, true},
		{"ForAnyValue:StringEquals", "tags", []string{"b", "c"}, true},
		{"ForAnyValue:StringEquals", "tags", []string{"c"}, false},
		{"ForAnyValue:StringEquals", "absent", []string{"c"}, false},
		{"ForAnyValue:StringNotEquals", "tags", []string{"a"}, true},
		{"ForAnyValue:StringNotEquals", "tags", []string{"a", "b"}, false},
		{"ForAllValues:StringEquals", "tags", []string{"a", "b", "c"}, true},
		{"ForAllValues:StringEquals", "tags", []string{"a"}, false},
		{"ForAllValues:StringEquals", "absent", []string{"a"}, true},
		{"ForAllValues:StringNotEquals", "tags", []string{"c"}, true},
		{"ForAllValues:StringNotEquals", "tags", []string{"a"}, false},
		{"ForAllValues:StringLike", "tags", []string{"?"}, true},
		{"ForAnyValue:StringEqualsIfExists", "absent", []string{"a"}, true},
		{"StringEquals", "s", nil, false},
		{"StringNotEquals", "s", nil, true},
	} {
		cond, err := compileCondition(c.op, c.key, c.values, true)
		if err != nil {
			t.Errorf("%s %s %v: %v", c.op, c.key, c.values, err)
			continue
		}
		if got := cond.holds(keys); got != c.want {
			t.Errorf("%s %s %v: %v, want %v", c.op, c.key, c.values, got, c.want)
		}
	}
}

func TestConditionsThatAreRefused(t *testing.T) {
	for _, c := range [][2]string{
		{"StringIs", "x"}, {"stringEquals", "x"}, {"NullIfExists", "true"}, {"Null", "maybe"}, {"Bool", "1"},
		{"NumericEquals", "1e9"}, {"NumericEquals", "one"}, {"DateEquals", "yesterday"}, {"IpAddress", "10.0.0.0/40"},
		{"BinaryEquals", "!"}, {"ForAnyValue:ForAllValues:StringEquals", "x"}, {"StringEquals", "${"},
	} {
		if _, err := compileCondition(c[0], "k", c[1:], true); err == nil {
			t.Errorf("%s %q: no error", c[0], c[1])
		}
	}
}
