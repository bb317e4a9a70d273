package stack

import (
	"strconv"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/budgets"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"engage/internal/resource"
)

// newObservability tells people when something is wrong, and shows how it goes.
func newObservability(s scope, k keys, m messages, c compute, p machine) error {
	if err := newAlarms(s, m, p); err != nil {
		return err
	}
	if err := newFindings(s, m); err != nil {
		return err
	}
	if err := newDashboard(s, p); err != nil {
		return err
	}
	return newBudget(s, m)
}

// alarm is a number of CloudWatch that should stay below a limit.
type alarm struct {
	name       string
	purpose    string
	namespace  string
	metric     string
	dimensions pulumi.StringMap
	statistic  string
	limit      float64
	period     int // seconds
}

func newAlarms(s scope, m messages, p machine) error {
	alarms := []alarm{
		{"pipeline-failed", "A run of the pipeline failed", "AWS/States", "ExecutionsFailed", pulumi.StringMap{"StateMachineArn": p.machine.Arn}, "Sum", 1, 300},
		{"pipeline-timed-out", "A run of the pipeline took too long", "AWS/States", "ExecutionsTimedOut", pulumi.StringMap{"StateMachineArn": p.machine.Arn}, "Sum", 1, 300},
		{"dead-letters", "An event could not be handled", "AWS/SQS", "ApproximateNumberOfMessagesVisible",
			pulumi.StringMap{"QueueName": m.deadLetters.Name}, "Maximum", 1, 300},
	}
	for _, f := range PipelineFunctions() {
		dimensions := pulumi.StringMap{"FunctionName": pulumi.String(string(f))}
		alarms = append(alarms,
			alarm{string(f) + "-errors", "The function failed", "AWS/Lambda", "Errors", dimensions, "Sum", 1, 300},
			alarm{string(f) + "-throttles", "The function was held back", "AWS/Lambda", "Throttles", dimensions, "Sum", 1, 300})
	}
	for _, a := range alarms {
		if _, err := cloudwatch.NewMetricAlarm(s.ctx, a.name, &cloudwatch.MetricAlarmArgs{
			Name: pulumi.String("engagement-" + a.name), AlarmDescription: pulumi.String(a.purpose),
			Namespace: pulumi.String(a.namespace), MetricName: pulumi.String(a.metric), Dimensions: a.dimensions,
			Statistic: pulumi.String(a.statistic), Period: pulumi.Int(a.period), EvaluationPeriods: pulumi.Int(1),
			ComparisonOperator: pulumi.String("GreaterThanOrEqualToThreshold"), Threshold: pulumi.Float64(a.limit),
			TreatMissingData: pulumi.String("notBreaching"),
			AlarmActions:     pulumi.Array{m.alerts.Arn}, OkActions: pulumi.Array{m.alerts.Arn},
		}); err != nil {
			return err
		}
	}
	return nil
}

// newFindings sends what the detectors find to people.
func newFindings(s scope, m messages) error {
	rule, err := cloudwatch.NewEventRule(s.ctx, "findings", &cloudwatch.EventRuleArgs{
		Name: pulumi.String("engagement-findings"), Description: pulumi.String("Findings that are severe or new from outside"),
		EventPattern: pulumi.JSONMarshal(pulumi.Map{
			"source":      pulumi.ToStringArray([]string{"aws.securityhub", "aws.guardduty", "aws.access-analyzer"}),
			"detail-type": pulumi.ToStringArray([]string{"Security Hub Findings - Imported", "GuardDuty Finding", "Access Analyzer Finding"}),
		}),
	})
	if err != nil {
		return err
	}
	_, err = cloudwatch.NewEventTarget(s.ctx, "findings", &cloudwatch.EventTargetArgs{
		Rule: rule.Name, Arn: m.alerts.Arn, TargetId: pulumi.String("alerts"),
	})
	return err
}

// widget is one graph of the dashboard.
func widget(s scope, x, y int, title string, metrics pulumi.Array) pulumi.Map {
	return pulumi.Map{
		"type": pulumi.String("metric"), "x": pulumi.Int(x), "y": pulumi.Int(y), "width": pulumi.Int(12), "height": pulumi.Int(6),
		"properties": pulumi.Map{
			"title": pulumi.String(title), "region": pulumi.String(s.env.Region), "view": pulumi.String("timeSeries"),
			"stat": pulumi.String("Sum"), "period": pulumi.Int(300), "metrics": metrics,
		},
	}
}

// metric names a number of CloudWatch the way a dashboard does.
func metric(namespace, name, dimension string, value pulumi.StringInput) pulumi.Array {
	return pulumi.Array{pulumi.String(namespace), pulumi.String(name), pulumi.String(dimension), value}
}

func newDashboard(s scope, p machine) error {
	runs, functions, scanned := pulumi.Array{}, pulumi.Array{}, pulumi.Array{}
	for _, name := range []string{"ExecutionsStarted", "ExecutionsSucceeded", "ExecutionsFailed"} {
		runs = append(runs, metric("AWS/States", name, "StateMachineArn", p.machine.Arn))
	}
	for _, f := range PipelineFunctions() {
		functions = append(functions, metric("AWS/Lambda", "Duration", "FunctionName", pulumi.String(string(f))))
	}
	for _, w := range resource.Workgroups() {
		scanned = append(scanned, metric("AWS/Athena", "ProcessedBytes", "WorkGroup", pulumi.String(string(w))))
	}
	tasks := pulumi.Array{}
	for _, name := range []string{"CpuUtilized", "MemoryUtilized"} {
		tasks = append(tasks, metric("ECS/ContainerInsights", name, "ClusterName", pulumi.String(string(resource.MLCluster))))
	}
	_, err := cloudwatch.NewDashboard(s.ctx, "dashboard", &cloudwatch.DashboardArgs{
		DashboardName: pulumi.String("engagement"),
		DashboardBody: pulumi.JSONMarshal(pulumi.Map{"widgets": pulumi.Array{
			widget(s, 0, 0, "Runs", runs), widget(s, 12, 0, "Functions", functions),
			widget(s, 0, 6, "Tasks", tasks), widget(s, 12, 6, "Bytes that queries read", scanned),
		}}),
	})
	return err
}

// newBudget tells people when the month will cost more than planned, and when it
// has.
func newBudget(s scope, m messages) error {
	notice := func(kind string, percent int) *budgets.BudgetNotificationArgs {
		return &budgets.BudgetNotificationArgs{
			NotificationType: pulumi.String(kind), ComparisonOperator: pulumi.String("GREATER_THAN"),
			Threshold: pulumi.Float64(float64(percent)), ThresholdType: pulumi.String("PERCENTAGE"),
			SubscriberSnsTopicArns: pulumi.StringArray{m.alerts.Arn},
		}
	}
	_, err := budgets.NewBudget(s.ctx, "month", &budgets.BudgetArgs{
		Name: pulumi.String("engagement"), BudgetType: pulumi.String("COST"), TimeUnit: pulumi.String("MONTHLY"),
		LimitAmount: pulumi.String(strconv.Itoa(s.cfg.MonthlyBudgetUSD)), LimitUnit: pulumi.String("USD"),
		Notifications: budgets.BudgetNotificationArray{notice("FORECASTED", 100), notice("ACTUAL", 80), notice("ACTUAL", 100)},
	})
	return err
}
