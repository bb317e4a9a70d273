package stack_test

import (
	"encoding/json"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"engage/infra/stack"
	"engage/internal/resource"
)

const (
	alarmToken = "aws:cloudwatch/metricAlarm:MetricAlarm"
	topicToken = "aws:sns/topic:Topic"
)

var _ = onEach("Messages", func(here func() *graph) {
	It("are encrypted", func() {
		key := here().key(resource.MessageKey).arn
		Expect(here().one(topicToken, "name", string(resource.Alerts)).text("kmsMasterKeyId")).To(Equal(key))
		queue := here().one("aws:sqs/queue:Queue", "name", string(resource.DeadLetters))
		Expect(queue.text("kmsMasterKeyId")).To(Equal(key))
		Expect(queue.at("messageRetentionSeconds")).To(Equal(14 * 24 * 3600.0))
	})

	It("are taken over TLS, from this account's services", func() {
		for _, token := range []string{"aws:sns/topicPolicy:TopicPolicy", "aws:sqs/queuePolicy:QueuePolicy"} {
			denied := false
			for _, r := range here().rules(token) {
				if r.allow {
					Expect(r.everyone()).To(BeFalse(), r.String())
					Expect(r.has("StringEquals", "aws:SourceAccount", testAccount)).To(BeTrue(), r.String())
				}
				denied = denied || !r.allow && r.everyone() && r.has("Bool", "aws:SecureTransport", "false")
			}
			Expect(denied).To(BeTrue(), token)
		}
	})

	It("go to nobody unless somebody is named", func() {
		Expect(here().of("aws:sns/topicSubscription:TopicSubscription")).To(BeEmpty())
		cfg := stack.Defaults(here().env.Kind)
		cfg.AlertEmail = "ops@example.com"
		g, err := deploy(cfg)
		Expect(err).NotTo(HaveOccurred())
		s := g.all("aws:sns/topicSubscription:TopicSubscription")
		Expect(s).To(HaveLen(1))
		Expect(s[0].in).To(And(HaveKeyWithValue("protocol", "email"), HaveKeyWithValue("endpoint", "ops@example.com")))
	})
})

var _ = onEach("What watches", func(here func() *graph) {
	topic := func() string { return here().one(topicToken, "name", string(resource.Alerts)).arn }

	It("alarms people of what fails, and tells them when it is over", func() {
		for _, a := range here().all(alarmToken) {
			Expect(a.texts("alarmActions")).To(Equal([]string{topic()}), a.String())
			Expect(a.texts("okActions")).To(Equal([]string{topic()}), a.String())
			Expect(a.text("treatMissingData")).To(Equal("notBreaching"), a.String())
		}
	})

	It("has alarms for runs, functions and the dead", func() {
		Expect(here().one(alarmToken, "metricName", "ExecutionsFailed").text("dimensions", "StateMachineArn")).NotTo(BeEmpty())
		here().one(alarmToken, "metricName", "ExecutionsTimedOut")
		Expect(here().one(alarmToken, "namespace", "AWS/SQS").text("dimensions", "QueueName")).To(Equal(string(resource.DeadLetters)))
		watched := map[string][]string{}
		for _, a := range here().all(alarmToken) {
			if f := a.text("dimensions", "FunctionName"); f != "" {
				watched[f] = append(watched[f], a.text("metricName"))
			}
		}
		for _, f := range here().all(functionToken) {
			Expect(watched[f.text("name")]).To(ConsistOf("Errors", "Throttles"), f.String())
		}
	})

	It("sends findings to people", func() {
		rule := here().one("aws:cloudwatch/eventRule:EventRule", "name", "engagement-findings")
		Expect(rule.text("eventPattern")).To(And(ContainSubstring("aws.guardduty"), ContainSubstring("aws.securityhub")))
		Expect(here().one("aws:cloudwatch/eventTarget:EventTarget", "rule", "engagement-findings").text("arn")).To(Equal(topic()))
	})

	It("shows how it goes", func() {
		var board struct {
			Widgets []struct {
				Properties struct {
					Title, Region string
					Metrics       [][]any
				}
			}
		}
		Expect(json.Unmarshal([]byte(here().all("aws:cloudwatch/dashboard:Dashboard")[0].text("dashboardBody")), &board)).To(Succeed())
		Expect(board.Widgets).NotTo(BeEmpty())
		for _, w := range board.Widgets {
			Expect(w.Properties.Title).NotTo(BeEmpty())
			Expect(w.Properties.Region).To(Equal(testRegion))
			Expect(w.Properties.Metrics).NotTo(BeEmpty(), w.Properties.Title)
		}
	})

	It("watches the money", func() {
		b := here().all("aws:budgets/budget:Budget")
		Expect(b).To(HaveLen(1))
		Expect(b[0].in).To(And(HaveKeyWithValue("budgetType", "COST"), HaveKeyWithValue("timeUnit", "MONTHLY"),
			HaveKeyWithValue("limitAmount", "500"), HaveKeyWithValue("limitUnit", "USD")))
		var kinds []string
		for _, n := range b[0].list("notifications") {
			Expect(n.texts("subscriberSnsTopicArns")).To(Equal([]string{topic()}))
			kinds = append(kinds, n.text("notificationType"))
		}
		Expect(kinds).To(ConsistOf("FORECASTED", "ACTUAL", "ACTUAL"))
	})
})

var _ = onEach("What guards the account", func(here func() *graph) {
	It("records every call, in every region, in a way that shows changes", func() {
		trails := here().all("aws:cloudtrail/trail:Trail")
		Expect(trails).To(HaveLen(1))
		t := trails[0]
		Expect(t.in).To(And(HaveKeyWithValue("isMultiRegionTrail", true), HaveKeyWithValue("includeGlobalServiceEvents", true),
			HaveKeyWithValue("enableLogFileValidation", true), HaveKeyWithValue("enableLogging", true)))
		Expect(t.text("kmsKeyId")).To(Equal(here().key(resource.LogsKey).arn))
		Expect(t.text("s3BucketName")).To(Equal(here().env.Bucket(resource.Audit)))
		Expect(t.text("s3KeyPrefix") + "/").To(Equal(resource.Trail.Prefix))
		group := here().one(groupLogToken, "name", string(resource.TrailLogGroup))
		Expect(t.text("cloudWatchLogsGroupArn")).To(Equal(group.arn + ":*"))
		Expect(t.text("cloudWatchLogsRoleArn")).To(Equal(here().one(roleToken, "name", string(resource.TrailRole)).arn))
	})

	It("records and checks every change", func() {
		Expect(here().all("aws:cfg/recorder:Recorder")[0].at("recordingGroup", "allSupported")).To(BeTrue())
		Expect(here().all("aws:cfg/recorderStatus:RecorderStatus")[0].at("isEnabled")).To(BeTrue())
		Expect(here().all("aws:cfg/deliveryChannel:DeliveryChannel")[0].text("s3BucketName")).To(Equal(here().env.Bucket(resource.Audit)))
		var checked []string
		for _, r := range here().all("aws:cfg/rule:Rule") {
			Expect(r.text("source", "owner")).To(Equal("AWS"), r.String())
			checked = append(checked, r.text("source", "sourceIdentifier"))
		}
		Expect(checked).To(ContainElements("S3_BUCKET_SSL_REQUESTS_ONLY", "CMK_BACKING_KEY_ROTATION_ENABLED", "CLOUD_TRAIL_ENABLED",
			"IAM_POLICY_NO_STATEMENTS_WITH_ADMIN_ACCESS", "VPC_FLOW_LOGS_ENABLED", "VPC_DEFAULT_SECURITY_GROUP_CLOSED", "SECRETSMANAGER_ROTATION_ENABLED_CHECK"))
	})

	It("looks for attacks and for access from outside", func() {
		Expect(here().all("aws:accessanalyzer/analyzer:Analyzer")[0].text("type")).To(Equal("ACCOUNT"))
		Expect(here().all("aws:guardduty/detector:Detector")[0].at("enable")).To(BeTrue())
		here().all("aws:securityhub/account:Account")
		for _, s := range here().all("aws:securityhub/standardsSubscription:StandardsSubscription") {
			Expect(s.text("standardsArn")).To(HavePrefix("arn:aws:securityhub:"+testRegion+"::standards/"), s.String())
		}
	})

	It("asks for passwords that are long and change", func() {
		p := here().all("aws:iam/accountPasswordPolicy:AccountPasswordPolicy")[0]
		Expect(p.at("minimumPasswordLength")).To(BeNumerically(">=", 14))
		Expect(p.at("maxPasswordAge")).To(BeNumerically("<=", 90))
	})

	It("keeps secrets under a key of their own, and gives them new values each month", func() {
		g, key := here(), here().key(resource.SecretKey).arn
		Expect(g.values("aws:secretsmanager/secret:Secret", "name")).To(Equal(sorted(resource.Secrets()...)))
		for _, s := range g.all("aws:secretsmanager/secret:Secret") {
			Expect(s.text("kmsKeyId")).To(Equal(key), s.String())
			r := g.one("aws:secretsmanager/secretRotation:SecretRotation", "secretId", s.id)
			Expect(r.at("rotationRules", "automaticallyAfterDays")).To(BeNumerically("<=", 90), s.String())
			Expect(r.text("rotationLambdaArn")).To(Equal(g.one(functionToken, "name", string(resource.RotateSecret)).arn))
			Expect(g.one("aws:lambda/permission:Permission", "sourceArn", s.arn).text("principal")).To(Equal("secretsmanager.amazonaws.com"))
		}
	})

	It("keeps parameters encrypted", func() {
		Expect(here().values("aws:ssm/parameter:Parameter", "name")).To(Equal(sorted(resource.Parameters()...)))
		for _, p := range here().all("aws:ssm/parameter:Parameter") {
			Expect(p.text("type")).To(Equal("SecureString"), p.String())
			Expect(p.text("keyId")).To(Equal(here().key(resource.SecretKey).arn), p.String())
		}
	})
})
