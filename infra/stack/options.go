package stack

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudhsmv2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/macie2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/networkfirewall"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/shield"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"engage/internal/resource"
)

// newOptions declares what [Options] asks for, but for the firewall, which is
// part of the network.
func newOptions(s scope, b buckets) error {
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
		return newReplicas(s, b)
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

// newReplicas copies new objects to buckets in another region.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication.html
func newReplicas(s scope, b buckets) error {
	other, err := aws.NewProvider(s.ctx, "replica", &aws.ProviderArgs{Region: pulumi.String(s.cfg.Options.ReplicaRegion)})
	if err != nil {
		return err
	}
	for _, name := range replicated {
		if err := newReplica(s, b[name], name, pulumi.Provider(other)); err != nil {
			return err
		}
	}
	return nil
}

func newReplica(s scope, from *PrivateBucket, name resource.Bucket, there pulumi.ResourceOption) error {
	logical, physical := string(name)+"-replica", s.env.Bucket(name)+"-replica"
	copies, err := s3.NewBucketV2(s.ctx, logical, &s3.BucketV2Args{Bucket: pulumi.String(physical)}, there)
	if err != nil {
		return err
	}
	versioned, err := s3.NewBucketVersioningV2(s.ctx, logical, &s3.BucketVersioningV2Args{
		Bucket: copies.ID(), VersioningConfiguration: &s3.BucketVersioningV2VersioningConfigurationArgs{Status: pulumi.String("Enabled")},
	}, there)
	if err != nil {
		return err
	}
	if _, err := s3.NewBucketPublicAccessBlock(s.ctx, logical, &s3.BucketPublicAccessBlockArgs{
		Bucket: copies.ID(), BlockPublicAcls: pulumi.Bool(true), BlockPublicPolicy: pulumi.Bool(true),
		IgnorePublicAcls: pulumi.Bool(true), RestrictPublicBuckets: pulumi.Bool(true),
	}, there); err != nil {
		return err
	}
	role, err := newReplicator(s, name, physical)
	if err != nil {
		return err
	}
	_, err = s3.NewBucketReplicationConfig(s.ctx, logical, &s3.BucketReplicationConfigArgs{
		Bucket: from.Bucket.ID(), Role: role.Arn,
		Rules: s3.BucketReplicationConfigRuleArray{&s3.BucketReplicationConfigRuleArgs{
			Id: pulumi.String("all"), Status: pulumi.String("Enabled"), Priority: pulumi.Int(1),
			Filter:                  &s3.BucketReplicationConfigRuleFilterArgs{Prefix: pulumi.String("")},
			DeleteMarkerReplication: &s3.BucketReplicationConfigRuleDeleteMarkerReplicationArgs{Status: pulumi.String("Disabled")},
			Destination:             &s3.BucketReplicationConfigRuleDestinationArgs{Bucket: copies.Arn, StorageClass: pulumi.String("STANDARD_IA")},
		}},
	}, pulumi.DependsOn([]pulumi.Resource{versioned, from}))
	return err
}

// newReplicator is the role that copies the objects of one bucket.
func newReplicator(s scope, name resource.Bucket, to string) (*iam.Role, error) {
	copies := resource.ARN("arn:" + s.env.Partition() + ":s3:::" + to + "/*")
	all := resource.Location{Bucket: name}
	g := (&grant{s: s}).
		add("Seek", []string{"s3:GetReplicationConfiguration", "s3:ListBucket"}, s.env.BucketARN(name)).
		objects("Read", []string{"s3:GetObjectVersionAcl", "s3:GetObjectVersionForReplication", "s3:GetObjectVersionTagging"}, []resource.Location{all}).
		add("Copy", []string{"s3:ReplicateObject", "s3:ReplicateTags"}, copies)
	return newRole(s, resource.Role(string(name)+"-replication-role"), "s3.amazonaws.com", g.list)
}
