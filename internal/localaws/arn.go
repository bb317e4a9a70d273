package localaws

import (
	"fmt"
	"strings"
)

// logGroupName returns the name in a log group's ARN, with or without the ":*" at its end.
func logGroupName(arn string) (string, error) {
	parts := strings.SplitN(strings.TrimSuffix(arn, ":*"), ":", 7)
	if len(parts) != 7 || parts[2] != "logs" || parts[5] != "log-group" {
		return "", fmt.Errorf("%q is no ARN of a log group", arn)
	}
	return parts[6], nil
}
