package states

import "engage/internal/localaws/wire"

// service is the table of operations, with what each touches.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsstepfunctions.html
func (s *Service) service() *wire.Service {
	return &wire.Service{Name: "states", Targets: []string{"AWSStepFunctions"}, Protocol: wire.JSON10, Operations: []wire.Operation{
		wire.JSON("CreateStateMachine", s.createMachine, func(c *wire.Call, in *createMachineInput) []wire.Access {
			return []wire.Access{{Action: "states:CreateStateMachine", Resource: c.ARN("states", "stateMachine:"+in.Name)}, passRole(in.RoleARN)}
		}),
		wire.JSON("DescribeStateMachine", s.describeMachine, on[machineRef]("DescribeStateMachine")),
		wire.JSON("UpdateStateMachine", s.updateMachine, func(_ *wire.Call, in *updateMachineInput) []wire.Access {
			a := []wire.Access{{Action: "states:UpdateStateMachine", Resource: in.ARN}}
			if in.RoleARN != "" {
				a = append(a, passRole(in.RoleARN))
			}
			return a
		}),
		wire.JSON("DeleteStateMachine", s.deleteMachine, on[machineRef]("DeleteStateMachine")),
		wire.JSON("ListStateMachines", s.listMachines, nil),
		wire.JSON("ValidateStateMachineDefinition", s.validate, nil),
		wire.JSON("DescribeStateMachineForExecution", s.describeForExecution, on[forExecutionInput]("DescribeStateMachineForExecution")),
		wire.JSON("StartExecution", s.startExecution, on[startInput]("StartExecution")),
		wire.JSON("DescribeExecution", s.describeExecution, on[describeExecutionInput]("DescribeExecution")),
		wire.JSON("ListExecutions", s.listExecutions, on[listExecutionsInput]("ListExecutions")),
		wire.JSON("StopExecution", s.stopExecution, on[stopInput]("StopExecution")),
		wire.JSON("GetExecutionHistory", s.history, on[historyInput]("GetExecutionHistory")),
		wire.JSON("SendTaskSuccess", s.sendSuccess, nil),
		wire.JSON("SendTaskFailure", s.sendFailure, nil),
		wire.JSON("SendTaskHeartbeat", s.sendHeartbeat, nil),
		wire.JSON("TagResource", s.tag, on[tagInput]("TagResource")),
		wire.JSON("UntagResource", s.untag, on[untagInput]("UntagResource")),
		wire.JSON("ListTagsForResource", s.listTags, on[resourceRef]("ListTagsForResource")),
		wire.JSON("ListMapRuns", s.listMapRuns, on[listMapRunsInput]("ListMapRuns")),
		wire.JSON("DescribeMapRun", s.describeMapRun, on[mapRunRef]("DescribeMapRun")),
		wire.JSON("RedriveExecution", s.redrive, on[redriveInput]("RedriveExecution")),
		wire.JSON("StartSyncExecution", s.startSync, on[startInput]("StartSyncExecution")),
		wire.JSON("PublishStateMachineVersion", s.publishVersion, on[publishInput]("PublishStateMachineVersion")),
		wire.JSON("ListStateMachineVersions", s.listVersions, on[listVersionsInput]("ListStateMachineVersions")),
		wire.JSON("DeleteStateMachineVersion", s.deleteVersion, on[versionRef]("DeleteStateMachineVersion")),
		wire.JSON("CreateStateMachineAlias", s.createAlias, func(_ *wire.Call, in *createAliasInput) []wire.Access {
			return []wire.Access{{Action: "states:CreateStateMachineAlias", Resource: in.machineARN()}}
		}),
		wire.JSON("DescribeStateMachineAlias", s.describeAlias, on[aliasRef]("DescribeStateMachineAlias")),
		wire.JSON("UpdateStateMachineAlias", s.updateAlias, on[updateAliasInput]("UpdateStateMachineAlias")),
		wire.JSON("DeleteStateMachineAlias", s.deleteAlias, on[aliasRef]("DeleteStateMachineAlias")),
		wire.JSON("ListStateMachineAliases", s.listAliases, on[listVersionsInput]("ListStateMachineAliases")),
		wire.JSON("CreateActivity", s.createActivity, func(c *wire.Call, in *createActivityInput) []wire.Access {
			return []wire.Access{{Action: "states:CreateActivity", Resource: c.ARN("states", "activity:"+in.Name)}}
		}),
		wire.JSON("DescribeActivity", s.describeActivity, on[activityRef]("DescribeActivity")),
		wire.JSON("DeleteActivity", s.deleteActivity, on[activityRef]("DeleteActivity")),
		wire.JSON("ListActivities", s.listActivities, nil),
		wire.JSON("GetActivityTask", s.activityTask, on[activityTaskInput]("GetActivityTask")),
	}}
}

// target is an input that names what it is about by ARN.
type target interface{ target() string }

func on[I any](action string) wire.Touches[I] {
	return func(_ *wire.Call, in *I) []wire.Access {
		return []wire.Access{{Action: "states:" + action, Resource: any(in).(target).target()}}
	}
}

func passRole(arn string) wire.Access {
	return wire.Access{Action: "iam:PassRole", Resource: arn, Conditions: map[string][]string{"iam:PassedToService": {"states.amazonaws.com"}}}
}
