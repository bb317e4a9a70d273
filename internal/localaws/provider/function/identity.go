package function

import (
	"context"
	"strings"

	"engage/internal/localaws/provider/value"
)

// New returns the functions as a caller in an account and region sees them.
func New(partition, account, region string) Table {
	w := where{partition: partition, account: account, region: region}
	return Table{
		"aws:index/getCallerIdentity:getCallerIdentity":       w.caller,
		"aws:index/getRegion:getRegion":                       w.getRegion,
		"aws:index/getPartition:getPartition":                 w.getPartition,
		"aws:index/getAvailabilityZones:getAvailabilityZones": w.zones,
		"aws:iam/getPolicyDocument:getPolicyDocument":         policyDocument,
	}
}

type where struct{ partition, account, region string }

func (w where) caller(context.Context, value.Map) (value.Map, error) {
	return value.Map{
		"id": w.account, "accountId": w.account, "userId": w.account,
		"arn": "arn:" + w.partition + ":iam::" + w.account + ":root",
	}, nil
}

func (w where) getRegion(_ context.Context, args value.Map) (value.Map, error) {
	if name := value.String(args, "name"); name != "" && name != w.region {
		return nil, &ArgumentError{"name", "the provider is in " + w.region + "; use one for " + name}
	}
	return value.Map{
		"id": w.region, "name": w.region, "endpoint": "ec2." + w.region + ".amazonaws.com", "description": w.region,
	}, nil
}

func (w where) getPartition(context.Context, value.Map) (value.Map, error) {
	return value.Map{
		"id": w.partition, "partition": w.partition, "dnsSuffix": "amazonaws.com", "reverseDnsPrefix": "com.amazonaws",
	}, nil
}

// zoneLetters are the zones of a local region: as many as most of AWS's have.
const zoneLetters = "abc"

func (w where) zones(_ context.Context, args value.Map) (value.Map, error) {
	if len(value.List(args, "filters")) > 0 {
		return nil, &ArgumentError{"filters", "filters are not supported by the embedded endpoint; leave them out"}
	}
	var names, ids []any
	if state := value.String(args, "state"); state == "" || state == "available" {
		for _, letter := range zoneLetters {
			name := w.region + string(letter)
			if excluded(args, "excludeNames", name) || excluded(args, "excludeZoneIds", ZoneID(name)) {
				continue
			}
			names, ids = append(names, name), append(ids, ZoneID(name))
		}
	}
	return value.Map{"id": w.region, "names": names, "zoneIds": ids, "groupNames": []any{w.region}}, nil
}

func excluded(args value.Map, list, name string) bool {
	for _, s := range value.Strings(args, list) {
		if s == name {
			return true
		}
	}
	return false
}

// ZoneID returns the identifier of an availability zone, "use1-az1" for
// us-east-1a. AWS shuffles them from account to account; here they are in order.
// https://docs.aws.amazon.com/ram/latest/userguide/working-with-az-ids.html
func ZoneID(zone string) string {
	parts := strings.Split(zone, "-")
	if len(parts) < 3 || len(parts[len(parts)-1]) < 2 {
		return ""
	}
	last := parts[len(parts)-1]
	short := parts[0]
	for _, p := range parts[1 : len(parts)-1] {
		short += abbreviate(p)
	}
	number := rune('1') + rune(last[len(last)-1]-'a')
	return short + last[:len(last)-1] + "-az" + string(number)
}

// abbreviate shortens a part of a region's name to the first letters of its
// directions: "southeast" to "se".
func abbreviate(part string) string {
	short := ""
	for _, direction := range []string{"north", "south", "east", "west", "central", "gov"} {
		if rest, ok := strings.CutPrefix(part, direction); ok {
			short, part = short+direction[:1], rest
		}
	}
	if part != "" {
		short += part[:1]
	}
	return short
}
