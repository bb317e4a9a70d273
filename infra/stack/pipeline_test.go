package stack_test

import (
	"encoding/json"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"engage/internal/pipeline"
	"engage/internal/resource"
)

const machineToken = "aws:sfn/stateMachine:StateMachine"

var _ = onEach("The pipeline", func(here func() *graph) {
	machine := func() declared { return here().one(machineToken, "name", string(resource.MLPipeline)) }

	It("logs everything and is traced", func() {
		m := machine()
		Expect(m.text("loggingConfiguration", "level")).To(Equal("ALL"))
		Expect(m.at("loggingConfiguration", "includeExecutionData")).To(BeTrue())
		group := here().one(groupLogToken, "name", string(resource.MLPipeline.LogGroup()))
		Expect(m.text("loggingConfiguration", "logDestination")).To(Equal(group.arn + ":*"))
		Expect(m.at("tracingConfiguration", "enabled")).To(BeTrue())
		Expect(m.text("type")).To(Equal("STANDARD"))
	})

	It("calls functions, tasks and topics that are declared, where they may run", func() {
		definition := machine().text("definition")
		Expect(json.Valid([]byte(definition))).To(BeTrue())
		g := here()
		for _, f := range g.all(functionToken) {
			if name := resource.Function(f.text("name")); name != resource.RotateSecret {
				Expect(definition).To(ContainSubstring(string(g.env.FunctionARN(name))))
			}
		}
		for _, t := range resource.TaskDefinitions() {
			Expect(definition).To(ContainSubstring(string(t)))
		}
		for _, s := range g.all(subnetToken) {
			Expect(definition).To(ContainSubstring(s.id))
		}
		Expect(definition).To(ContainSubstring("ec2-" + string(resource.MLTasks)))
		Expect(definition).To(ContainSubstring(string(g.env.TopicARN(resource.Alerts))))
		Expect(strings.Contains(definition, "ENABLED")).To(BeFalse(), "a task has no public address")
	})

	It("may call exactly what it calls", func() {
		g, role := here(), resource.StepFunctionsRole
		Expect(machine().text("roleArn")).To(Equal(g.one(roleToken, "name", string(role)).arn))
		for _, arn := range allowed(g, role, "lambda:InvokeFunction") {
			Expect(machine().text("definition")).To(ContainSubstring(arn))
		}
		Expect(allowed(g, role, "lambda:InvokeFunction")).To(HaveLen(len(g.all(functionToken)) - 1))
		Expect(allowed(g, role, "ecs:RunTask")).To(ConsistOf(
			string(g.env.TaskDefinitionARN(resource.TrainingTask)), string(g.env.TaskDefinitionARN(resource.InferenceTask))))
		Expect(allowed(g, role, "sns:Publish")).To(ConsistOf(string(g.env.TopicARN(resource.Alerts))))
	})

	It("starts by itself each night and each week, on AWS", func() {
		g := here()
		want := map[resource.Schedule]struct {
			expression string
			mode       pipeline.Mode
		}{
			resource.DailyScoring:   {"cron(0 2 * * ? *)", pipeline.ScoreOnly},
			resource.WeeklyPipeline: {"cron(0 4 ? * SUN *)", pipeline.TrainAndScore},
		}
		state := map[resource.Kind]string{resource.AWS: "ENABLED", resource.Local: "DISABLED"}[g.env.Kind]
		for name, w := range want {
			rule := g.one("aws:cloudwatch/eventRule:EventRule", "name", string(name))
			Expect(rule.text("scheduleExpression")).To(Equal(w.expression))
			Expect(rule.text("state")).To(Equal(state))
			target := g.one("aws:cloudwatch/eventTarget:EventTarget", "rule", string(name))
			Expect(target.text("arn")).To(Equal(machine().arn))
			Expect(target.text("roleArn")).To(Equal(g.one(roleToken, "name", string(resource.ScheduleRole)).arn))
			var input pipeline.Input
			Expect(json.Unmarshal([]byte(target.text("input")), &input)).To(Succeed())
			Expect(input).To(Equal(pipeline.Input{Mode: w.mode, ModelVersion: resource.FirstVersion.Short(), Seed: 42}))
		}
	})

	It("lets its schedules start it and do nothing else", func() {
		list := rules(here().one(rolePolicyToken, "role", string(resource.ScheduleRole)), "policy")
		Expect(list).To(HaveLen(1))
		Expect(list[0].actions).To(Equal([]string{"states:StartExecution"}))
		Expect(list[0].resources).To(Equal([]string{string(here().env.StateMachineARN(resource.MLPipeline))}))
	})
})
