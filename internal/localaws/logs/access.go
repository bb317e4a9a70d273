package logs

import (
	"regexp"
	"strings"

	"engage/internal/localaws/wire"
)

// grouped and streamed are inputs that name what they touch.
type grouped interface{ group() string }
type streamed interface {
	grouped
	stream() string
}

// onGroup is a permission on a group. AWS checks the group's name with an
// empty stream behind it, which "log-group:NAME:*" matches.
func onGroup[I any, P interface {
	*I
	grouped
}](action string) wire.Touches[I] {
	return func(call *wire.Call, in *I) []wire.Access {
		return []wire.Access{{Action: "logs:" + action, Resource: call.ARN("logs", "log-group:"+P(in).group()+":log-stream:")}}
	}
}

func onStream[I any, P interface {
	*I
	streamed
}](action string) wire.Touches[I] {
	return func(call *wire.Call, in *I) []wire.Access {
		return []wire.Access{{Action: "logs:" + action, Resource: StreamARN(call.Caller, P(in).group(), P(in).stream())}}
	}
}

func onAllGroups(action string) wire.Touches[DescribeLogGroupsInput] {
	return func(call *wire.Call, _ *DescribeLogGroupsInput) []wire.Access {
		return []wire.Access{{Action: "logs:" + action, Resource: call.ARN("logs", "log-group::log-stream:")}}
	}
}

// GroupARN returns the ARN of a log group in the caller's account and region.
func GroupARN(c wire.Caller, group string) string {
	return "arn:aws:logs:" + c.Region + ":" + c.Account + ":log-group:" + group
}

// StreamARN returns the ARN of a log stream.
func StreamARN(c wire.Caller, group, stream string) string {
	return GroupARN(c, group) + ":log-stream:" + stream
}

// groupName returns the name that an identifier, a name or an ARN, has.
func groupName(identifier string) string {
	_, name, ok := strings.Cut(identifier, ":log-group:")
	if !ok {
		return identifier
	}
	return strings.TrimSuffix(name, ":*")
}

// eitherName is the name in an input that takes a name or an identifier.
func eitherName(name, identifier string) string {
	if name != "" {
		return name
	}
	return groupName(identifier)
}

// checkEither refuses inputs with both or none.
func checkEither(name, identifier string) error {
	if (name == "") == (identifier == "") {
		return invalid("Exactly one of logGroupName and logGroupIdentifier must be specified.")
	}
	return nil
}

var groupPattern = regexp.MustCompile(`^[.\-_/#A-Za-z0-9]{1,512}$`)

func checkGroupName(name string) error {
	if len(name) > 512 {
		return invalid("Invalid LogGroup or LogStream, both must have length less than or equal to 512.")
	}
	if groupPattern.MatchString(name) {
		return nil
	}
	return invalid("1 validation error detected: Value '%s' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+ and have length between 1 and 512", name)
}

func checkStreamName(name string) error {
	if len(name) <= 512 && !strings.ContainsAny(name, ":*\x00") {
		return nil
	}
	return invalid("1 validation error detected: Value '%s' at 'logStreamName' failed to satisfy constraint: Member must satisfy regular expression pattern: [^:*]* and have length between 1 and 512", name)
}
