package stack

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/athena"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/glue"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"engage/internal/resource"
)

// catalog is what SQL runs on: databases, whose tables the pipeline makes, and
// the workgroup that every query runs in.
type catalog struct {
	workgroup *athena.Workgroup
	databases map[resource.Database]*glue.CatalogDatabase
}

func newCatalog(s scope, k keys, b buckets) (catalog, error) {
	c := catalog{databases: map[resource.Database]*glue.CatalogDatabase{}}
	var err error
	for _, name := range resource.Databases() {
		c.databases[name], err = glue.NewCatalogDatabase(s.ctx, string(name), &glue.CatalogDatabaseArgs{
			Name: pulumi.String(string(name)), Description: pulumi.String("Made and filled by the pipeline's runs"),
		})
		if err != nil {
			return c, err
		}
	}
	if _, err := glue.NewDataCatalogEncryptionSettings(s.ctx, "catalog", &glue.DataCatalogEncryptionSettingsArgs{
		DataCatalogEncryptionSettings: &glue.DataCatalogEncryptionSettingsDataCatalogEncryptionSettingsArgs{
			EncryptionAtRest: &glue.DataCatalogEncryptionSettingsDataCatalogEncryptionSettingsEncryptionAtRestArgs{
				CatalogEncryptionMode: pulumi.String("SSE-KMS"), SseAwsKmsKeyId: k[resource.DataKey].Arn,
			},
			ConnectionPasswordEncryption: &glue.DataCatalogEncryptionSettingsDataCatalogEncryptionSettingsConnectionPasswordEncryptionArgs{
				ReturnConnectionPasswordEncrypted: pulumi.Bool(true), AwsKmsKeyId: k[resource.DataKey].Arn,
			},
		},
	}); err != nil {
		return c, err
	}
	for _, name := range resource.Workgroups() {
		if c.workgroup, err = newWorkgroup(s, k, b, name); err != nil {
			return c, err
		}
	}
	return c, nil
}

// newWorkgroup makes a workgroup whose settings no query can change.
func newWorkgroup(s scope, k keys, b buckets, name resource.Workgroup) (*athena.Workgroup, error) {
	return athena.NewWorkgroup(s.ctx, string(name), &athena.WorkgroupArgs{
		Name: pulumi.String(string(name)), ForceDestroy: pulumi.Bool(true), State: pulumi.String("ENABLED"),
		Configuration: &athena.WorkgroupConfigurationArgs{
			EnforceWorkgroupConfiguration:   pulumi.Bool(true),
			PublishCloudwatchMetricsEnabled: pulumi.Bool(true),
			BytesScannedCutoffPerQuery:      pulumi.Int(s.cfg.ScannedBytesLimit),
			EngineVersion:                   &athena.WorkgroupConfigurationEngineVersionArgs{SelectedEngineVersion: pulumi.String("Athena engine version 3")},
			ResultConfiguration: &athena.WorkgroupConfigurationResultConfigurationArgs{
				OutputLocation: pulumi.Sprintf("s3://%s/%s", b[resource.Results].Bucket.Bucket, resource.QueryResults.Prefix),
				EncryptionConfiguration: &athena.WorkgroupConfigurationResultConfigurationEncryptionConfigurationArgs{
					EncryptionOption: pulumi.String("SSE_KMS"), KmsKeyArn: k[resource.DataKey].Arn,
				},
			},
		},
	})
}
