package stack

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"engage/internal/resource"
)

// grant collects what one role may do: exact actions on exact resources, the
// keys that come with them included.
type grant struct {
	s    scope
	keys keys
	list []statement
}

func (g *grant) add(sid string, actions []string, resources ...resource.ARN) *grant {
	g.list = append(g.list, statement{Sid: sid, Actions: actions, Resources: arns(resources...)})
	return g
}

// read allows reading objects under locations, and listing them.
func (g *grant) read(locations ...resource.Location) *grant {
	g.objects("Read", []string{"s3:GetObject"}, locations)
	return g.seek("Seek", locations)
}

// write allows writing objects under locations, in parts too.
func (g *grant) write(locations ...resource.Location) *grant {
	return g.objects("Write", []string{"s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:PutObject"}, locations)
}

// erase allows deleting objects under locations, every version of them.
func (g *grant) erase(locations ...resource.Location) *grant {
	g.objects("Erase", []string{"s3:DeleteObject", "s3:DeleteObjectVersion"}, locations)
	var list []resource.ARN
	for _, l := range locations {
		list = append(list, g.s.env.BucketARN(l.Bucket))
	}
	return g.add("Versions", []string{"s3:ListBucket", "s3:ListBucketVersions"}, unique(list)...)
}

func (g *grant) objects(sid string, actions []string, locations []resource.Location) *grant {
	var list []resource.ARN
	for _, l := range locations {
		list = append(list, g.s.env.ObjectsARN(l))
	}
	return g.add(sid, actions, list...)
}

// seek allows looking for objects in the buckets of locations.
func (g *grant) seek(sid string, locations []resource.Location) *grant {
	var list []resource.ARN
	for _, l := range locations {
		list = append(list, g.s.env.BucketARN(l.Bucket))
	}
	return g.add(sid, []string{"s3:GetBucketLocation", "s3:ListBucket"}, unique(list)...)
}

func unique(list []resource.ARN) []resource.ARN {
	seen := map[resource.ARN]bool{}
	var out []resource.ARN
	for _, a := range list {
		if !seen[a] {
			seen[a] = true
			out = append(out, a)
		}
	}
	return out
}

// query allows SQL in the workgroup, over tables that are read and written, and
// the query's results.
func (g *grant) query(read, write []resource.Table, views ...resource.View) *grant {
	g.add("Query", []string{
		"athena:GetQueryExecution", "athena:GetQueryResults", "athena:GetWorkGroup", "athena:StartQueryExecution", "athena:StopQueryExecution",
	}, g.s.env.WorkgroupARN(resource.AnalyticsWorkgroup))
	g.objects("QueryResults", []string{"s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"}, []resource.Location{resource.QueryResults})
	g.seek("SeekResults", []resource.Location{resource.QueryResults})
	g.catalog("ReadCatalog", []string{"glue:GetDatabase", "glue:GetPartition", "glue:GetPartitions", "glue:GetTable"}, append(read, write...), views)
	if len(write) > 0 || len(views) > 0 {
		g.catalog("WriteCatalog", []string{
			"glue:BatchCreatePartition", "glue:CreateTable", "glue:DeleteTable", "glue:UpdateTable",
		}, write, views)
	}
	for _, t := range read {
		g.list = append(g.list, readTable(g.s, t)...)
	}
	for _, t := range write {
		g.list = append(g.list, writeTable(g.s, t)...)
	}
	return g
}

// catalog allows actions on tables and views, and on what holds them.
func (g *grant) catalog(sid string, actions []string, tables []resource.Table, views []resource.View) *grant {
	list := []resource.ARN{g.s.env.CatalogARN()}
	for _, t := range tables {
		list = append(list, g.s.env.DatabaseARN(t.Database()), g.s.env.TableARN(t))
	}
	for _, v := range views {
		list = append(list, g.s.env.DatabaseARN(v.Database()), g.s.env.ViewARN(v))
	}
	return g.add(sid, actions, unique(list)...)
}

// sidOf makes a statement id of a table's name: letters and digits only.
func sidOf(verb string, t resource.Table) string {
	out := []rune(verb)
	up := true
	for _, r := range t.Name() {
		if r == '_' {
			up = true
			continue
		}
		if up && r >= 'a' && r <= 'z' {
			r += 'A' - 'a'
		}
		up = false
		out = append(out, r)
	}
	return string(out)
}

func readTable(s scope, t resource.Table) []statement {
	return []statement{
		{Sid: sidOf("Read", t), Actions: []string{"s3:GetObject"}, Resources: arns(s.env.ObjectsARN(t.Location()))},
		{Sid: sidOf("Seek", t), Actions: []string{"s3:GetBucketLocation", "s3:ListBucket"}, Resources: arns(s.env.BucketARN(t.Location().Bucket))},
	}
}

func writeTable(s scope, t resource.Table) []statement {
	return append(readTable(s, t), statement{
		Sid: sidOf("Write", t), Actions: []string{"s3:AbortMultipartUpload", "s3:DeleteObject", "s3:ListMultipartUploadParts", "s3:PutObject"},
		Resources: arns(s.env.ObjectsARN(t.Location())),
	})
}

// crypt allows the data key through the services that use it.
func (g *grant) crypt(via ...string) *grant {
	for _, service := range via {
		g.list = append(g.list, named("Crypt"+service, encrypt(g.s, g.keys[resource.DataKey].Arn, service)))
	}
	return g
}

// PipelineFunctions lists the functions of this graph: those of the pipeline,
// and the one that rotates secrets.
func PipelineFunctions() []resource.Function {
	return []resource.Function{
		resource.PreCleanup, resource.DataPrep, resource.DataValidation, resource.CreateQATable, resource.CreateResultsTable,
		resource.RotateSecret,
	}
}

// permissions returns what a function may do beyond what each may.
func permissions(s scope, k keys, f resource.Function) []statement {
	g := &grant{s: s, keys: k}
	switch f {
	case resource.PreCleanup:
		g.clean()
	case resource.DataPrep:
		g.read(resource.Landing).write(resource.Raw).
			query(nil, []resource.Table{resource.CustomersTable, resource.TrainingTable, resource.TestTable, resource.InferenceTable}).
			crypt("s3", "athena")
	case resource.DataValidation:
		g.read(resource.Landing, resource.Runs).write(resource.Runs).query([]resource.Table{resource.CustomersTable}, nil).
			add("Accepted", []string{"ssm:GetParameter", "ssm:PutParameter"}, s.env.ParameterARN(resource.AcceptedData)).
			crypt("s3", "athena")
	case resource.CreateQATable:
		g.query([]resource.Table{resource.CustomersTable, resource.TestTable, resource.PredictionsTable}, []resource.Table{resource.ReviewTable}).
			read(resource.Runs).write(resource.Runs).crypt("s3", "athena")
	case resource.CreateResultsTable:
		g.query([]resource.Table{resource.CustomersTable, resource.TestTable, resource.PredictionsTable}, []resource.Table{resource.ResultsTable}, resource.Views()...).
			read(resource.Registry, resource.Runs).write(resource.Runs).crypt("s3", "athena")
	case resource.RotateSecret:
		g.rotate()
	}
	return g.list
}

// clean allows deleting what a run makes, and nothing else.
func (g *grant) clean() *grant {
	g.erase(resource.RunOutputs(resource.FirstVersion)...)
	return g.catalog("DropTables", []string{
		"glue:BatchDeletePartition", "glue:DeleteTable", "glue:GetDatabase", "glue:GetPartitions", "glue:GetTable", "glue:GetTables",
	}, resource.Tables(), resource.Views())
}

// rotate allows giving the API's key a new value.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets-required-permissions-function.html
func (g *grant) rotate() *grant {
	g.add("Rotate", []string{
		"secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage",
	}, g.s.env.SecretARN(resource.APIKey))
	g.list = append(g.list,
		statement{Sid: "Random", Actions: []string{"secretsmanager:GetRandomPassword"}, Resources: []pulumi.StringInput{pulumi.String("*")}},
		named("EncryptSecret", encrypt(g.s, g.keys[resource.SecretKey].Arn, "secretsmanager")))
	return g
}

// taskPermissions returns what the code in a task may do.
func taskPermissions(s scope, k keys, t resource.TaskDefinition) []statement {
	g := &grant{s: s, keys: k}
	switch t {
	case resource.TrainingTask:
		g.read(resource.Training, resource.Test, resource.Landing, resource.Registry).write(resource.Registry).crypt("s3")
	case resource.InferenceTask:
		g.read(resource.Inference, resource.Registry).write(resource.Scored).
			catalog("Catalog", []string{"glue:CreateTable", "glue:GetTable", "glue:UpdateTable"}, []resource.Table{resource.PredictionsTable}, nil).
			crypt("s3")
	}
	return g.list
}
