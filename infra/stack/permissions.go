package stack

import (
	"slices"

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

// erase allows deleting every version of the objects under locations.
func (g *grant) erase(sid string, locations ...resource.Location) *grant {
	g.objects(sid, []string{"s3:DeleteObjectVersion"}, locations)
	var list []resource.ARN
	for _, l := range locations {
		list = append(list, g.s.env.BucketARN(l.Bucket))
	}
	return g.add(sid+"Versions", []string{"s3:ListBucketVersions"}, unique(list)...)
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

// query allows SQL in the workgroup, its results, and the tables that it reads.
// Athena asks the catalog and reads objects as its caller.
// https://docs.aws.amazon.com/athena/latest/ug/fine-grained-access-to-glue-resources.html
func (g *grant) query(read ...resource.Table) *grant {
	g.add("Query", []string{
		"athena:GetQueryExecution", "athena:GetQueryResults", "athena:StartQueryExecution", "athena:StopQueryExecution",
	}, g.s.env.WorkgroupARN(resource.AnalyticsWorkgroup))
	g.objects("QueryResults", []string{"s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"}, []resource.Location{resource.QueryResults})
	g.seek("SeekResults", []resource.Location{resource.QueryResults})
	if len(read) == 0 {
		return g
	}
	g.catalog("ReadCatalog", []string{"glue:GetDatabase", "glue:GetPartitions", "glue:GetTable"}, read, nil)
	return g.objects("ReadTables", []string{"s3:GetObject"}, locationsOf(read)).seek("SeekTables", locationsOf(read))
}

// remake allows tables to be dropped with their files, and made anew.
func (g *grant) remake(tables ...resource.Table) *grant {
	g.catalog("RemakeTables", append([]string{"glue:BatchCreatePartition", "glue:CreateTable"}, dropActions...), tables, nil)
	places := locationsOf(tables)
	g.objects("WriteTables", []string{"s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"}, places)
	return g.seek("SeekRemade", places).erase("EraseTables", places...)
}

// dropActions drop a table with its partitions and versions.
var dropActions = []string{
	"glue:BatchDeletePartition", "glue:BatchDeleteTableVersion", "glue:DeleteTable",
	"glue:GetDatabase", "glue:GetPartitions", "glue:GetTable", "glue:GetTableVersions",
}

// define allows views to be made or replaced.
func (g *grant) define(views ...resource.View) *grant {
	return g.catalog("DefineViews", []string{"glue:CreateTable", "glue:GetDatabase", "glue:GetTable", "glue:UpdateTable"}, nil, views)
}

func locationsOf(tables []resource.Table) []resource.Location {
	var out []resource.Location
	for _, t := range tables {
		out = append(out, t.Location())
	}
	return out
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

// crypt allows the data key through the services that use it for their caller.
// https://docs.aws.amazon.com/glue/latest/dg/encrypt-glue-data-catalog.html
func (g *grant) crypt(via ...string) *grant {
	return g.cryptWith("Crypt", resource.DataKey, via...)
}

func (g *grant) cryptWith(sid string, key resource.Key, via ...string) *grant {
	services := pulumi.StringArray{}
	for _, service := range via {
		services = append(services, pulumi.String(service+"."+g.s.env.Region+".amazonaws.com"))
	}
	g.list = append(g.list, statement{
		Sid: sid, Actions: []string{"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"}, Resources: []pulumi.StringInput{g.keys[key].Arn},
		Condition: pulumi.Map{"StringEquals": pulumi.Map{"kms:ViaService": services}},
	})
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
		g.clean().crypt("glue")
	case resource.DataPrep:
		g.read(resource.Landing, prepared).write(prepared).erase("ErasePrepared", prepared).
			query().remake(resource.RawDatabase.Tables()...).crypt("s3", "glue")
	case resource.DataValidation:
		g.read(resource.Runs, prepared).write(resource.Runs).query(resource.CustomersTable, resource.ConnectionsTable).
			add("Accepted", []string{"ssm:GetParameter", "ssm:PutParameter"}, s.env.ParameterARN(resource.AcceptedData)).
			crypt("s3", "glue").cryptWith("CryptAccepted", resource.SecretKey, "ssm")
	case resource.CreateQATable:
		g.query(resource.CustomersTable, resource.TestTable, resource.PredictionsTable).remake(resource.ReviewTable).
			define(resource.ReviewTable.Masked()).crypt("s3", "glue")
	case resource.CreateResultsTable:
		g.read(resource.Registry, prepared).write(resource.Runs).
			query(resource.CustomersTable, resource.TestTable, resource.TrainingTable, resource.InferenceTable, resource.PredictionsTable).
			remake(resource.ResultsTable).define(resultViews()...).crypt("s3", "glue")
	case resource.RotateSecret:
		g.rotate()
	}
	return g.list
}

// prepared is the note beside the tables that data preparation makes.
var prepared = resource.Location{Bucket: resource.Data, Prefix: resource.PreparedKey}

// resultViews are the views that are made with the results: all but that of reviews.
func resultViews() []resource.View {
	return slices.DeleteFunc(resource.Views(), func(v resource.View) bool { return v == resource.ReviewTable.Masked() })
}

// clean allows deleting what a run makes, of a model in any version, and nothing
// else: which version it is, the run's input says.
func (g *grant) clean() *grant {
	places := []resource.Location{resource.Raw, resource.Processed, resource.Scored, resource.ReviewQueue, resource.Final, resource.QueryResults}
	for _, m := range resource.RegistryModels() {
		places = append(places, resource.Location{Bucket: resource.Registry.Bucket, Prefix: resource.Registry.Key(string(m) + "/v")})
	}
	return g.erase("Erase", places...).catalog("DropTables", dropActions, resource.Tables(), resource.Views())
}

// rotate allows giving the API's key a new value.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets-required-permissions-function.html
func (g *grant) rotate() *grant {
	g.add("Rotate", []string{
		"secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage",
	}, g.s.env.SecretARN(resource.APIKey))
	g.list = append(g.list, named("EncryptSecret", encrypt(g.s, g.keys[resource.SecretKey].Arn, "secretsmanager")))
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
