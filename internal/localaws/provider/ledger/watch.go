package ledger

import (
	"strings"
	"time"

	"engage/internal/localaws/provider/sdk"
	"engage/internal/localaws/provider/value"
)

// detection returns the kinds that look for attacks and for access from outside.
func detection(t sdk.Source) []Spec {
	return []Spec{
		{
			Kind: t.Kind("aws:accessanalyzer/analyzer:Analyzer", sdk.Overlay{
				Replace: []string{"analyzerName", "type"}, Default: map[string]any{"type": "ACCOUNT"},
				Enum: map[string]string{"type": "ACCOUNT ORGANIZATION ACCOUNT_UNUSED_ACCESS ORGANIZATION_UNUSED_ACCESS"},
			}),
			ID: by("analyzerName"), Outputs: arn("access-analyzer", "analyzer/"),
		},
		{
			Kind: t.Kind("aws:guardduty/detector:Detector", sdk.Overlay{
				Default: map[string]any{"enable": true}, Computed: []string{"findingPublishingFrequency", "datasources"},
				Enum: map[string]string{"findingPublishingFrequency": "FIFTEEN_MINUTES ONE_HOUR SIX_HOURS"},
			}),
			ID: random("", 32), Outputs: func(m Making) value.Map {
				frequency := value.String(m.Inputs, "findingPublishingFrequency")
				if frequency == "" {
					frequency = "SIX_HOURS"
				}
				return value.Map{"arn": m.ARN("guardduty", "detector/"+m.ID), "accountId": m.Account, "findingPublishingFrequency": frequency, "datasources": m.Inputs["datasources"]}
			},
		},
		{
			Kind: t.Kind("aws:guardduty/detectorFeature:DetectorFeature", sdk.Overlay{
				Replace: []string{"detectorId", "name"}, Enum: map[string]string{"status": "ENABLED DISABLED"},
			}),
			ID: func(m Making) string {
				return value.String(m.Inputs, "detectorId") + "/" + value.String(m.Inputs, "name")
			},
			Refs: []Ref{{"detectorId", "aws:guardduty/detector:Detector"}},
		},
		{
			Kind: t.Kind("aws:securityhub/account:Account", sdk.Overlay{
				Default: map[string]any{"enableDefaultStandards": true, "autoEnableControls": true}, Computed: []string{"controlFindingGenerator"},
			}),
			ID: account, Outputs: func(m Making) value.Map {
				generator := value.String(m.Inputs, "controlFindingGenerator")
				if generator == "" {
					generator = "SECURITY_CONTROL"
				}
				return value.Map{"arn": m.ARN("securityhub", "hub/default"), "controlFindingGenerator": generator}
			},
		},
		{
			Kind: t.Kind("aws:securityhub/standardsSubscription:StandardsSubscription", sdk.Overlay{Replace: []string{"standardsArn"}}),
			ID: func(m Making) string {
				path := value.String(m.Inputs, "standardsArn")
				return m.ARN("securityhub", "subscription/"+strings.TrimPrefix(path[strings.LastIndex(path, ":")+1:], "standards/"))
			},
		},
		{Kind: t.Kind("aws:inspector2/enabler:Enabler", sdk.Overlay{Replace: []string{"accountIds"}, Set: []string{"accountIds", "resourceTypes"}}),
			ID: func(m Making) string {
				return strings.Join(value.Strings(m.Inputs, "accountIds"), ":") + "-" + strings.Join(value.Strings(m.Inputs, "resourceTypes"), ":")
			}},
		{
			Kind: t.Kind("aws:iam/accountPasswordPolicy:AccountPasswordPolicy", sdk.Overlay{
				Default:  map[string]any{"allowUsersToChangePassword": true, "minimumPasswordLength": 6.0},
				Computed: []string{"hardExpiry", "maxPasswordAge", "passwordReusePrevention", "requireLowercaseCharacters", "requireNumbers", "requireSymbols", "requireUppercaseCharacters"},
			}),
			ID: constant("iam-account-password-policy"), Outputs: passwordOutputs,
		},
		{
			Kind: t.Kind("aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock", sdk.Overlay{
				Replace: []string{"accountId"}, Computed: []string{"accountId"},
				Default: map[string]any{"blockPublicAcls": false, "blockPublicPolicy": false, "ignorePublicAcls": false, "restrictPublicBuckets": false},
			}),
			ID: account, Outputs: func(m Making) value.Map { return value.Map{"accountId": m.Account} },
		},
	}
}

func passwordOutputs(m Making) value.Map {
	number := func(name string) float64 { return float64(value.Int(m.Inputs, name)) }
	out := value.Map{
		"expirePasswords": number("maxPasswordAge") > 0, "hardExpiry": value.Bool(m.Inputs, "hardExpiry"),
		"maxPasswordAge": number("maxPasswordAge"), "passwordReusePrevention": number("passwordReusePrevention"),
	}
	for _, name := range []string{"requireLowercaseCharacters", "requireNumbers", "requireSymbols", "requireUppercaseCharacters"} {
		out[name] = value.Bool(m.Inputs, name)
	}
	return out
}

// recording returns the kinds of AWS Config.
func recording(t sdk.Source) []Spec {
	recorder := "aws:cfg/recorder:Recorder"
	return []Spec{
		{
			Kind: t.Kind(recorder, sdk.Overlay{
				Replace: []string{"name"}, Default: map[string]any{"name": "default"}, Computed: []string{"recordingGroup", "recordingMode"},
			}),
			ID: by("name"), Outputs: given("recordingGroup", "recordingMode"),
		},
		{
			Kind: t.Kind("aws:cfg/deliveryChannel:DeliveryChannel", sdk.Overlay{Replace: []string{"name"}, Default: map[string]any{"name": "default"}}),
			ID:   by("name"),
		},
		{
			Kind: t.Kind("aws:cfg/recorderStatus:RecorderStatus", sdk.Overlay{Replace: []string{"name"}, Required: []string{"name"}}),
			ID:   by("name"), Refs: []Ref{{"name", recorder}},
		},
		{
			Kind: t.Kind("aws:cfg/rule:Rule", sdk.Overlay{Replace: []string{"name"}, Required: []string{"name"}, Document: []string{"inputParameters"}}),
			ID:   by("name"), Outputs: func(m Making) value.Map {
				id := m.Keep("ruleId", func() string { return "config-rule-" + m.Hex(6) })
				return value.Map{"arn": m.ARN("config", "config-rule/"+id), "ruleId": id}
			},
		},
	}
}

// given returns outputs that are what the program gave.
func given(names ...string) func(Making) value.Map {
	return func(m Making) value.Map {
		out := value.Map{}
		for _, name := range names {
			out[name] = m.Inputs[name]
		}
		return out
	}
}

// alarms returns the kinds that watch numbers and money.
func alarms(t sdk.Source) []Spec {
	return []Spec{
		{
			Kind: t.Kind("aws:cloudwatch/metricAlarm:MetricAlarm", sdk.Overlay{
				Replace: []string{"name"}, Required: []string{"name"}, Computed: []string{"evaluateLowSampleCountPercentiles"},
				Default: map[string]any{"actionsEnabled": true, "treatMissingData": "missing"},
				Enum: map[string]string{
					"treatMissingData":   "missing ignore breaching notBreaching",
					"comparisonOperator": "GreaterThanOrEqualToThreshold GreaterThanThreshold LessThanThreshold LessThanOrEqualToThreshold LessThanLowerOrGreaterThanUpperThreshold LessThanLowerThreshold GreaterThanUpperThreshold",
				},
				Set: []string{"alarmActions", "okActions", "insufficientDataActions", "metricQueries"},
			}),
			ID: by("name"), Outputs: func(m Making) value.Map {
				return value.Map{"arn": m.ARN("cloudwatch", "alarm:"+m.ID), "evaluateLowSampleCountPercentiles": value.String(m.Inputs, "evaluateLowSampleCountPercentiles")}
			},
		},
		{
			Kind: t.Kind("aws:cloudwatch/dashboard:Dashboard", sdk.Overlay{Replace: []string{"dashboardName"}, Document: []string{"dashboardBody"}}),
			ID:   by("dashboardName"), Outputs: func(m Making) value.Map {
				return value.Map{"dashboardArn": "arn:" + m.Partition + ":cloudwatch::" + m.Account + ":dashboard/" + m.ID}
			},
		},
		{
			Kind: t.Kind("aws:budgets/budget:Budget", sdk.Overlay{
				Replace: []string{"accountId", "name", "namePrefix"}, Required: []string{"name"}, Unused: []string{"namePrefix", "autoAdjustData", "plannedLimits"},
				Computed: []string{"accountId", "limitAmount", "limitUnit", "timePeriodStart", "costFilters", "costTypes"},
				Default:  map[string]any{"timePeriodEnd": "2087-06-15_00:00"}, Set: []string{"notifications", "costFilters"},
				Enum: map[string]string{"budgetType": "COST USAGE RI_UTILIZATION RI_COVERAGE SAVINGS_PLANS_UTILIZATION SAVINGS_PLANS_COVERAGE", "timeUnit": "DAILY MONTHLY QUARTERLY ANNUALLY"},
			}),
			ID: func(m Making) string { return m.Account + ":" + value.String(m.Inputs, "name") }, Outputs: budgetOutputs,
		},
	}
}

func budgetOutputs(m Making) value.Map {
	out := given("limitAmount", "limitUnit", "costFilters", "costTypes")(m)
	out["accountId"] = m.Account
	out["arn"] = "arn:" + m.Partition + ":budgets::" + m.Account + ":budget/" + value.String(m.Inputs, "name")
	out["timePeriodStart"] = value.String(m.Inputs, "timePeriodStart")
	if out["timePeriodStart"] == "" {
		out["timePeriodStart"] = m.Keep("timePeriodStart", func() string { return m.Now().UTC().Format("2006-01") + "-01_00:00" })
	}
	return out
}

// options returns the kinds that most accounts need not pay for.
func options(t sdk.Source) []Spec {
	firewallPolicy := "aws:networkfirewall/firewallPolicy:FirewallPolicy"
	return []Spec{
		{
			Kind: t.Kind("aws:macie2/account:Account", sdk.Overlay{Default: map[string]any{"status": "ENABLED", "findingPublishingFrequency": "FIFTEEN_MINUTES"}}),
			ID:   account, Outputs: func(m Making) value.Map {
				now := m.Keep("createdAt", func() string { return m.Now().UTC().Format(time.RFC3339) })
				return value.Map{"createdAt": now, "updatedAt": now,
					"serviceRole": "arn:" + m.Partition + ":iam::" + m.Account + ":role/aws-service-role/macie.amazonaws.com/AWSServiceRoleForAmazonMacie"}
			},
		},
		{
			Kind: t.Kind("aws:shield/subscription:Subscription", sdk.Overlay{Default: map[string]any{"autoRenew": "ENABLED"}, Enum: map[string]string{"autoRenew": "ENABLED DISABLED"}}),
			ID:   account,
		},
		{
			Kind: t.Kind("aws:shield/protection:Protection", sdk.Overlay{Replace: []string{"name", "resourceArn"}}),
			ID:   random("", 32), Outputs: func(m Making) value.Map {
				return value.Map{"arn": "arn:" + m.Partition + ":shield::" + m.Account + ":protection/" + m.ID}
			},
		},
		{
			Kind: t.Kind("aws:cloudhsmv2/cluster:Cluster", sdk.Overlay{
				Replace: []string{"hsmType", "mode", "sourceBackupIdentifier", "subnetIds"}, Computed: []string{"mode"}, Set: []string{"subnetIds"},
			}),
			ID: random("cluster-", 11), Refs: []Ref{{"subnetIds", subnetToken}}, Outputs: hsmOutputs,
		},
		{
			Kind: t.Kind("aws:networkfirewall/ruleGroup:RuleGroup", sdk.Overlay{Replace: []string{"name", "capacity", "type"}, Required: []string{"name"}, Computed: []string{"ruleGroup"}}),
			ID: func(m Making) string {
				return m.ARN("network-firewall", "stateful-rulegroup/"+value.String(m.Inputs, "name"))
			},
			Outputs: func(m Making) value.Map {
				return value.Map{"arn": m.ID, "ruleGroup": m.Inputs["ruleGroup"], "updateToken": m.Hex(32)}
			},
		},
		{
			Kind: t.Kind(firewallPolicy, sdk.Overlay{Replace: []string{"name"}, Required: []string{"name"}}),
			ID: func(m Making) string {
				return m.ARN("network-firewall", "firewall-policy/"+value.String(m.Inputs, "name"))
			},
			Outputs: func(m Making) value.Map {
				return value.Map{"arn": m.ID, "updateToken": m.Keep("updateToken", func() string { return m.Hex(32) })}
			},
		},
		{
			Kind: t.Kind("aws:networkfirewall/firewall:Firewall", sdk.Overlay{
				Replace: []string{"name", "vpcId"}, Required: []string{"name", "firewallPolicyArn"}, Set: []string{"subnetMappings"},
				Default: map[string]any{"deleteProtection": false, "firewallPolicyChangeProtection": false, "subnetChangeProtection": false},
			}),
			ID:   func(m Making) string { return m.ARN("network-firewall", "firewall/"+value.String(m.Inputs, "name")) },
			Refs: []Ref{{"vpcId", vpcToken}, {"firewallPolicyArn", firewallPolicy}}, Outputs: func(m Making) value.Map {
				return value.Map{"arn": m.ID, "updateToken": m.Keep("updateToken", func() string { return m.Hex(32) }), "firewallStatuses": []any{}}
			},
		},
		{
			Kind: t.Kind("aws:networkfirewall/loggingConfiguration:LoggingConfiguration", sdk.Overlay{Replace: []string{"firewallArn"}}),
			ID:   by("firewallArn"), Refs: []Ref{{"firewallArn", "aws:networkfirewall/firewall:Firewall"}},
		},
		{
			Kind: t.Kind("aws:signer/signingProfile:SigningProfile", sdk.Overlay{
				Replace: []string{"name", "namePrefix", "platformId", "signatureValidityPeriod"}, Required: []string{"name"}, Unused: []string{"namePrefix"},
				Computed: []string{"signatureValidityPeriod"},
			}),
			ID: by("name"), Outputs: signingOutputs,
		},
	}
}

func hsmOutputs(m Making) value.Map {
	mode := value.String(m.Inputs, "mode")
	if mode == "" {
		mode = "FIPS"
	}
	return value.Map{
		"clusterId": m.ID, "clusterState": "UNINITIALIZED", "clusterCertificates": []any{}, "mode": mode,
		"securityGroupId": m.Keep("securityGroupId", func() string { return "sg-0" + m.Hex(16) }),
		"vpcId":           value.String(m.Find(subnetToken, first(value.Strings(m.Inputs, "subnetIds"))), "vpcId"),
	}
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

func signingOutputs(m Making) value.Map {
	version := m.Keep("version", func() string { return m.Hex(10) })
	profile := m.ARN("signer", "/signing-profiles/"+m.ID)
	return value.Map{
		"arn": profile, "version": version, "versionArn": profile + "/" + version, "status": "Active", "revocationRecords": []any{},
		"platformDisplayName": "AWS Lambda", "signatureValidityPeriod": m.Inputs["signatureValidityPeriod"],
	}
}
