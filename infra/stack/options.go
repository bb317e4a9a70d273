package stack

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudhsmv2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/macie2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/networkfirewall"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/shield"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"engage/internal/resource"
)

// newOptions declares what [Options] asks for, but for the firewall, which is
// part of the network.
func newOptions(s scope, k keys, b buckets) error {
	o := s.cfg.Options
	if o.Macie {
		if _, err := macie2.NewAccount(s.ctx, "macie", &macie2.AccountArgs{
			Status: pulumi.String("ENABLED"), FindingPublishingFrequency: pulumi.String("FIFTEEN_MINUTES"),
		}); err != nil {
			return err
		}
	}
	if o.ShieldAdvanced {
		if _, err := shield.NewSubscription(s.ctx, "shield", &shield.SubscriptionArgs{AutoRenew: pulumi.String("DISABLED")}); err != nil {
			return err
		}
	}
	if o.ReplicaRegion != "" {
		return newReplicas(s, k, b)
	}
	return nil
}

// newFirewall inspects packets between the network's subnets, and module keys
// live in one of them.
func newFirewall(s scope, n network) error {
	if s.cfg.Options.CloudHSM {
		if _, err := cloudhsmv2.NewCluster(s.ctx, "keys", &cloudhsmv2.ClusterArgs{
			HsmType: pulumi.String("hsm2m.medium"), Mode: pulumi.String("FIPS"), SubnetIds: n.subnetIDs(),
		}); err != nil {
			return err
		}
	}
	if !s.cfg.Options.NetworkFirewall {
		return nil
	}
	policy, err := networkfirewall.NewFirewallPolicy(s.ctx, "firewall", &networkfirewall.FirewallPolicyArgs{
		Name: pulumi.String("engagement"),
		FirewallPolicy: &networkfirewall.FirewallPolicyFirewallPolicyArgs{
			StatelessDefaultActions:         pulumi.ToStringArray([]string{"aws:forward_to_sfe"}),
			StatelessFragmentDefaultActions: pulumi.ToStringArray([]string{"aws:drop"}),
			StatefulDefaultActions:          pulumi.ToStringArray([]string{"aws:drop_strict"}),
			StatefulEngineOptions:           &networkfirewall.FirewallPolicyFirewallPolicyStatefulEngineOptionsArgs{RuleOrder: pulumi.String("STRICT_ORDER")},
		},
	})
	if err != nil {
		return err
	}
	subnets := networkfirewall.FirewallSubnetMappingArray{}
	for _, subnet := range n.subnets {
		subnets = append(subnets, &networkfirewall.FirewallSubnetMappingArgs{SubnetId: subnet.ID()})
	}
	_, err = networkfirewall.NewFirewall(s.ctx, "firewall", &networkfirewall.FirewallArgs{
		Name: pulumi.String("engagement"), VpcId: n.vpc.ID(), FirewallPolicyArn: policy.Arn, SubnetMappings: subnets,
		DeleteProtection: pulumi.Bool(s.cfg.Kind == resource.AWS), SubnetChangeProtection: pulumi.Bool(s.cfg.Kind == resource.AWS),
	})
	return err
}

// replicated are the buckets whose loss would cost most.
var replicated = []resource.Bucket{resource.Models, resource.Results}

const replicaSuffix = "-replica"

// newReplicas copies new objects to buckets in another region, encrypted with a
// key of that region. What reads or writes there is not logged: the log bucket
// would have to be in the same region.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication.html
func newReplicas(s scope, k keys, b buckets) error {
	other, err := aws.NewProvider(s.ctx, "replica", &aws.ProviderArgs{Region: pulumi.String(s.cfg.Options.ReplicaRegion)})
	if err != nil {
		return err
	}
	there := pulumi.Provider(other)
	key, err := kms.NewKey(s.ctx, "engagement-replica", &kms.KeyArgs{
		Description: pulumi.String("Encrypts copies of models and results"), EnableKeyRotation: pulumi.Bool(true),
		RotationPeriodInDays: pulumi.Int(365), DeletionWindowInDays: pulumi.Int(30), Policy: document(s.administer()),
	}, there)
	if err != nil {
		return err
	}
	for _, name := range replicated {
		if err := newReplica(s, k, b[name], name, key, there); err != nil {
			return err
		}
	}
	return nil
}

func newReplica(s scope, k keys, from *PrivateBucket, name resource.Bucket, key *kms.Key, there pulumi.ResourceOption) error {
	spec := bucketSpec{name: name, suffix: replicaSuffix, key: key.Arn}
	copies, err := newPrivateBucket(s, spec, there)
	if err != nil {
		return err
	}
	role, err := newReplicator(s, k, spec)
	if err != nil {
		return err
	}
	_, err = s3.NewBucketReplicationConfig(s.ctx, spec.logical(), &s3.BucketReplicationConfigArgs{
		Bucket: from.Bucket.ID(), Role: role.Arn,
		Rules: s3.BucketReplicationConfigRuleArray{&s3.BucketReplicationConfigRuleArgs{
			Id: pulumi.String("all"), Status: pulumi.String("Enabled"), Priority: pulumi.Int(1),
			Filter:                  &s3.BucketReplicationConfigRuleFilterArgs{Prefix: pulumi.String("")},
			DeleteMarkerReplication: &s3.BucketReplicationConfigRuleDeleteMarkerReplicationArgs{Status: pulumi.String("Disabled")},
			// Without this, S3 leaves out what is encrypted with a key of ours: everything.
			SourceSelectionCriteria: &s3.BucketReplicationConfigRuleSourceSelectionCriteriaArgs{
				SseKmsEncryptedObjects: &s3.BucketReplicationConfigRuleSourceSelectionCriteriaSseKmsEncryptedObjectsArgs{Status: pulumi.String("Enabled")},
			},
			Destination: &s3.BucketReplicationConfigRuleDestinationArgs{
				Bucket: copies.Bucket.Arn, StorageClass: pulumi.String("STANDARD_IA"),
				EncryptionConfiguration: &s3.BucketReplicationConfigRuleDestinationEncryptionConfigurationArgs{ReplicaKmsKeyId: key.Arn},
			},
		}},
	}, pulumi.DependsOn([]pulumi.Resource{copies, from}))
	return err
}

// newReplicator is the role that copies the objects of one bucket.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
func newReplicator(s scope, k keys, to bucketSpec) (*iam.Role, error) {
	copies := resource.ARN("arn:" + s.env.Partition() + ":s3:::" + to.physical(s) + "/*")
	g := (&grant{s: s}).
		add("Seek", []string{"s3:GetReplicationConfiguration", "s3:ListBucket"}, s.env.BucketARN(to.name)).
		objects("Read", []string{"s3:GetObjectVersionAcl", "s3:GetObjectVersionForReplication", "s3:GetObjectVersionTagging"}, []resource.Location{{Bucket: to.name}}).
		add("Copy", []string{"s3:ReplicateObject", "s3:ReplicateTags"}, copies)
	in := func(region string) pulumi.Map {
		return pulumi.Map{"StringEquals": pulumi.Map{"kms:ViaService": pulumi.String("s3." + region + ".amazonaws.com")}}
	}
	g.list = append(g.list,
		statement{Sid: "Decrypt", Actions: []string{"kms:Decrypt"}, Resources: []pulumi.StringInput{k[resource.DataKey].Arn}, Condition: in(s.env.Region)},
		statement{Sid: "Encrypt", Actions: []string{"kms:Encrypt", "kms:GenerateDataKey"}, Resources: []pulumi.StringInput{to.key}, Condition: in(s.cfg.Options.ReplicaRegion)})
	return newRole(s, resource.Role(to.logical()+"-role"), "s3.amazonaws.com", g.list)
}
