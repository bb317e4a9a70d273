package stack

import (
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sfn"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"engage/internal/pipeline"
	"engage/internal/resource"
	"engage/statemachine"
)

// machine is the pipeline: the state machine and what starts it.
type machine struct {
	machine *sfn.StateMachine
}

func newPipeline(s scope, k keys, n network, m messages, c compute) (machine, error) {
	group, err := newLogGroup(s, k, resource.MLPipeline.LogGroup())
	if err != nil {
		return machine{}, err
	}
	role, err := newRole(s, resource.StepFunctionsRole, "states.amazonaws.com", s.mayRunPipeline(k))
	if err != nil {
		return machine{}, err
	}
	sm, err := sfn.NewStateMachine(s.ctx, string(resource.MLPipeline), &sfn.StateMachineArgs{
		Name: pulumi.String(string(resource.MLPipeline)), RoleArn: role.Arn, Type: pulumi.String("STANDARD"), Definition: s.definition(n),
		LoggingConfiguration: &sfn.StateMachineLoggingConfigurationArgs{
			Level: pulumi.String("ALL"), IncludeExecutionData: pulumi.Bool(true), LogDestination: pulumi.Sprintf("%s:*", group.Arn),
		},
		TracingConfiguration: &sfn.StateMachineTracingConfigurationArgs{Enabled: pulumi.Bool(true)},
	})
	if err != nil {
		return machine{}, err
	}
	return machine{machine: sm}, newSchedules(s, sm)
}

// definition is the machine in Amazon States Language, with the network that its
// tasks run in.
func (s scope) definition(n network) pulumi.StringOutput {
	return pulumi.All(n.subnetIDs().ToStringArrayOutput(), n.tasks.ID().ToStringOutput()).ApplyT(func(in []any) (string, error) {
		return statemachine.Pipeline(statemachine.Placement{
			Environment: s.env, Subnets: in[0].([]string), SecurityGroup: in[1].(string),
		}).JSON()
	}).(pulumi.StringOutput)
}

// mayRunPipeline is what the machine does: call the functions, run the tasks and
// wait for them, and tell how it ended.
func (s scope) mayRunPipeline(k keys) []statement {
	g := &grant{s: s, keys: k}
	g.add("Functions", []string{"lambda:InvokeFunction"}, s.machineFunctions()...)
	var tasks, roles []resource.ARN
	for _, t := range resource.TaskDefinitions() {
		tasks, roles = append(tasks, s.env.TaskDefinitionARN(t)), append(roles, s.env.RoleARN(t.Role()))
	}
	inCluster := pulumi.Map{"ArnEquals": pulumi.Map{"ecs:cluster": pulumi.String(string(s.env.ClusterARN(resource.MLCluster)))}}
	started := resource.ARN(fmt.Sprintf("arn:%s:ecs:%s:%s:task/%s/*", s.env.Partition(), s.env.Region, s.env.Account, resource.MLCluster))
	g.list = append(g.list,
		statement{Sid: "RunTasks", Actions: []string{"ecs:RunTask"}, Resources: arns(tasks...), Condition: inCluster},
		statement{Sid: "FollowTasks", Actions: []string{"ecs:DescribeTasks", "ecs:StopTask"}, Resources: arns(started), Condition: inCluster},
		statement{
			Sid: "PassRoles", Actions: []string{"iam:PassRole"}, Resources: arns(append(roles, s.env.RoleARN(resource.ECSExecutionRole))...),
			Condition: pulumi.Map{"StringEquals": pulumi.Map{"iam:PassedToService": pulumi.String("ecs-tasks.amazonaws.com")}},
		},
		s.followTasks(), deliverLogs(), trace(), named("EncryptAlerts", encrypt(s, k[resource.MessageKey].Arn, "sns")))
	return g.add("Alert", []string{"sns:Publish"}, s.env.TopicARN(resource.Alerts)).list
}

func (s scope) machineFunctions() []resource.ARN {
	var out []resource.ARN
	for _, f := range PipelineFunctions() {
		if f != resource.RotateSecret {
			out = append(out, s.env.FunctionARN(f))
		}
	}
	return out
}

// followTasks lets Step Functions hear of the end of tasks by a rule of its own.
// https://docs.aws.amazon.com/step-functions/latest/dg/connect-ecs.html#sync-async-iam-policies
func (s scope) followTasks() statement {
	rule := resource.ARN(fmt.Sprintf("arn:%s:events:%s:%s:rule/StepFunctionsGetEventsForECSTaskRule", s.env.Partition(), s.env.Region, s.env.Account))
	return statement{Sid: "HearOfTasks", Actions: []string{"events:DescribeRule", "events:PutRule", "events:PutTargets"}, Resources: arns(rule)}
}

// deliverLogs lets the machine write its log; log delivery knows no resources.
// https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
func deliverLogs() statement {
	return statement{
		Sid: "DeliverLogs",
		Actions: []string{
			"logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups", "logs:DescribeResourcePolicies",
			"logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
		},
		Resources: []pulumi.StringInput{pulumi.String("*")},
	}
}

// start is what a schedule starts the pipeline with.
type start struct {
	schedule   resource.Schedule
	expression string
	purpose    string
	mode       pipeline.Mode
}

// The schedules, in UTC.
var starts = []start{
	{resource.DailyScoring, "cron(0 2 * * ? *)", "Scores every customer each night", pipeline.ScoreOnly},
	{resource.WeeklyPipeline, "cron(0 4 ? * SUN *)", "Trains and scores anew each week", pipeline.TrainAndScore},
}

func newSchedules(s scope, sm *sfn.StateMachine) error {
	role, err := newRole(s, resource.ScheduleRole, "events.amazonaws.com", []statement{{
		Sid: "Start", Actions: []string{"states:StartExecution"}, Resources: arns(s.env.StateMachineARN(resource.MLPipeline)),
	}})
	if err != nil {
		return err
	}
	for _, st := range starts {
		if err := newSchedule(s, sm, role, st); err != nil {
			return err
		}
	}
	return nil
}

func newSchedule(s scope, sm *sfn.StateMachine, role *iam.Role, st start) error {
	input, err := json.Marshal(pipeline.Input{Mode: st.mode, ModelVersion: s.cfg.ModelVersion, Seed: uint64(s.cfg.Seed)})
	if err != nil {
		return err
	}
	state := "ENABLED"
	if !s.cfg.Schedules {
		state = "DISABLED"
	}
	rule, err := cloudwatch.NewEventRule(s.ctx, string(st.schedule), &cloudwatch.EventRuleArgs{
		Name: pulumi.String(string(st.schedule)), Description: pulumi.String(st.purpose), ScheduleExpression: pulumi.String(st.expression),
		State: pulumi.String(state),
	})
	if err != nil {
		return err
	}
	_, err = cloudwatch.NewEventTarget(s.ctx, string(st.schedule), &cloudwatch.EventTargetArgs{
		Rule: rule.Name, Arn: sm.Arn, RoleArn: role.Arn, Input: pulumi.String(string(input)), TargetId: pulumi.String("pipeline"),
		RetryPolicy: &cloudwatch.EventTargetRetryPolicyArgs{MaximumEventAgeInSeconds: pulumi.Int(3600), MaximumRetryAttempts: pulumi.Int(3)},
	})
	return err
}
