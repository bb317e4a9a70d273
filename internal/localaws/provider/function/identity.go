package function

import (
	"context"

	"engage/internal/localaws/provider/value"
)

// New returns the functions as a caller in an account and region sees them.
func New(partition, account, region string) Table {
	return Table{
		"aws:index/getCallerIdentity:getCallerIdentity": func(context.Context, value.Map) (value.Map, error) {
			return value.Map{
				"id": account, "accountId": account, "userId": account,
				"arn": "arn:" + partition + ":iam::" + account + ":root",
			}, nil
		},
	}
}
