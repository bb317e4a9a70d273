package resource

import (
	"fmt"
	"strings"
)

// ARN is an Amazon Resource Name. The forms are those of
// https://docs.aws.amazon.com/service-authorization/latest/reference/.
type ARN string

// partitions maps prefixes of region codes to partitions; all others are in "aws".
// https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
var partitions = []struct{ prefix, name string }{
	{"cn-", "aws-cn"},
	{"us-gov-", "aws-us-gov"},
	{"us-iso-", "aws-iso"},
	{"us-isob-", "aws-iso-b"},
	{"eu-isoe-", "aws-iso-e"},
	{"us-isof-", "aws-iso-f"},
	{"eusc-", "aws-eusc"},
}

// Partition returns the partition of the region, the second field of an ARN.
func (e Environment) Partition() string {
	for _, p := range partitions {
		if strings.HasPrefix(e.Region, p.prefix) {
			return p.name
		}
	}
	return "aws"
}

// BucketARN returns the ARN of b.
func (e Environment) BucketARN(b Bucket) ARN {
	return ARN(fmt.Sprintf("arn:%s:s3:::%s", e.Partition(), e.Bucket(b)))
}

// ObjectsARN returns the ARN pattern of every object under l.
func (e Environment) ObjectsARN(l Location) ARN {
	return e.BucketARN(l.Bucket) + ARN("/"+l.Prefix+"*")
}

// FunctionARN returns the ARN of f.
func (e Environment) FunctionARN(f Function) ARN { return e.arn("lambda", "function:"+string(f)) }

// StateMachineARN returns the ARN of m.
func (e Environment) StateMachineARN(m StateMachine) ARN {
	return e.arn("states", "stateMachine:"+string(m))
}

// RoleARN returns the ARN of r. IAM has no regions.
func (e Environment) RoleARN(r Role) ARN {
	return ARN(fmt.Sprintf("arn:%s:iam::%s:role/%s", e.Partition(), e.Account, r))
}

// LogGroupARN returns the ARN of g, as CreateLogGroup's callers know it: without ":*".
func (e Environment) LogGroupARN(g LogGroup) ARN { return e.arn("logs", "log-group:"+string(g)) }

// TopicARN returns the ARN of t.
func (e Environment) TopicARN(t Topic) ARN { return e.arn("sns", string(t)) }

// ClusterARN returns the ARN of c.
func (e Environment) ClusterARN(c Cluster) ARN { return e.arn("ecs", "cluster/"+string(c)) }

// TaskDefinitionARN returns the ARN pattern of every revision of t.
func (e Environment) TaskDefinitionARN(t TaskDefinition) ARN {
	return e.arn("ecs", "task-definition/"+string(t)+":*")
}

// RepositoryARN returns the ARN of r.
func (e Environment) RepositoryARN(r Repository) ARN { return e.arn("ecr", "repository/"+string(r)) }

// WorkgroupARN returns the ARN of w.
func (e Environment) WorkgroupARN(w Workgroup) ARN { return e.arn("athena", "workgroup/"+string(w)) }

// CatalogARN returns the ARN of the account's Glue catalog.
func (e Environment) CatalogARN() ARN { return e.arn("glue", "catalog") }

// DatabaseARN returns the ARN of d.
func (e Environment) DatabaseARN(d Database) ARN { return e.arn("glue", "database/"+string(d)) }

// TableARN returns the ARN of t.
func (e Environment) TableARN(t Table) ARN { return e.catalogTable(t.Database(), t.Name()) }

// ViewARN returns the ARN of v: to Glue, a view is a table.
func (e Environment) ViewARN(v View) ARN { return e.catalogTable(v.Database(), v.Name()) }

// KeyValueTableARN returns the ARN of t.
func (e Environment) KeyValueTableARN(t KeyValueTable) ARN {
	return e.arn("dynamodb", "table/"+string(t))
}

func (e Environment) catalogTable(d Database, name string) ARN {
	return e.arn("glue", fmt.Sprintf("table/%s/%s", d, name))
}

func (e Environment) arn(service, id string) ARN {
	return ARN(fmt.Sprintf("arn:%s:%s:%s:%s:%s", e.Partition(), service, e.Region, e.Account, id))
}
