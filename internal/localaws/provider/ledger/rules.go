package ledger

import (
	"crypto/sha256"
	"encoding/hex"

	"engage/internal/localaws/provider/kind"
	"engage/internal/localaws/provider/sdk"
	"engage/internal/localaws/provider/value"
)

// rules returns security groups and their rules.
func rules(t sdk.Source) []Spec {
	rule := sdk.Overlay{Replace: []string{"securityGroupId"}}
	return []Spec{
		{
			Kind: t.Kind(groupToken, sdk.Overlay{
				Replace: []string{"name", "namePrefix", "description", "vpcId"}, Required: []string{"vpcId"},
				Default: map[string]any{"description": "Managed by Pulumi", "revokeRulesOnDelete": false},
				Set:     []string{"ingress", "egress"}, Name: map[string]kind.Naming{"name": {Max: 255}}, Unused: []string{"namePrefix"},
			}),
			ID: random("sg-0", 16), Refs: []Ref{{"vpcId", vpcToken}}, Outputs: owned("security-group/"),
		},
		{
			Kind: t.Kind("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", rule),
			ID:   random("sgr-0", 16), Refs: []Ref{{"securityGroupId", groupToken}, {"referencedSecurityGroupId", groupToken}}, Outputs: ruleOutputs,
		},
		{
			Kind: t.Kind("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", rule),
			ID:   random("sgr-0", 16), Refs: []Ref{{"securityGroupId", groupToken}, {"referencedSecurityGroupId", groupToken}}, Outputs: ruleOutputs,
		},
	}
}

func ruleOutputs(m Making) value.Map {
	return value.Map{"arn": m.ARN("ec2", "security-group-rule/"+m.ID), "securityGroupRuleId": m.ID}
}

// digest returns n hexadecimal digits that belong to a name.
func digest(name string, n int) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:])[:n]
}
