package pipeline_test

import (
	"errors"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"engage/internal/pipeline"
	"engage/internal/query"
	"engage/internal/resource"
	"engage/internal/schema"
	"engage/internal/store"
	datavalidation "engage/lambdas/data-validation"
)

var _ = Describe("data-validation-lambda", func() {
	var w *world
	prepared := func(ctx SpecContext, name string) {
		w.land(ctx, name)
		must(w.prepare().Handle(ctx, run(pipeline.TrainAndScore, name+"/")))
	}
	BeforeEach(func(ctx SpecContext) { w = newWorld(ctx) })

	It("accepts sound data, and compares the next with it", func(ctx SpecContext) {
		prepared(ctx, "sound")
		out := must(w.validate().Handle(ctx, run(pipeline.TrainAndScore, "sound/")))
		Expect(out.Status).To(Equal("success"))
		Expect(out.Findings).To(Equal(map[string]int{"error": 0, "warning": 0, "info": 1}))
		Expect(out.Report).To(Equal("s3://engagement-results/runs/run-1/validation.json"))
		report := document[datavalidation.Report](ctx, w, resource.Results, "runs/run-1/validation.json")
		Expect(report.Rows).To(BeEquivalentTo(rows))
		Expect(report.Reference).To(BeNil())
		Expect(report.Findings[0].Message).To(ContainSubstring("nothing to compare with"))
		profile := document[datavalidation.Profile](ctx, w, resource.Results, "runs/run-1/profile.json")
		for name, d := range profile.Columns {
			sum := d.Missing
			for _, n := range d.Counts {
				sum += n
			}
			for _, n := range d.Values {
				sum += n
			}
			Expect(sum).To(BeEquivalentTo(rows), string(name))
		}
		Expect(must(w.notes().Get(ctx, resource.AcceptedData))).To(ContainSubstring(`"profile":"runs/run-1/profile.json"`))

		second := run(pipeline.TrainAndScore, "other/")
		second.RunID = "run-2"
		prepared(ctx, "other")
		must(w.validate().Handle(ctx, second))
		report = document[datavalidation.Report](ctx, w, resource.Results, "runs/run-2/validation.json")
		Expect(report.Reference.RunID).To(Equal("run-1"))
		Expect(report.Drift).To(HaveLen(len(profile.Columns)))
		for _, d := range report.Drift {
			// Where customers live and whom they know follows from communities, of which few hold 2,000 customers.
			if !slices.Contains([]schema.Name{schema.Age, schema.Gender, schema.AccountType, schema.DeviceType, schema.AvgDailyLogins, schema.AvgSessionDurationMin, schema.ChurnRiskScore, schema.EngagementScore, schema.Churn30Day, schema.AvgSentimentScore}, d.Column) {
				continue
			}
			Expect(d.PSI).To(BeNumerically("<", 0.1), "another sample of the same population: %v", d)
		}
		Expect(must(w.notes().Get(ctx, resource.AcceptedData))).To(ContainSubstring("run-2"))
	})

	It("tells of drift and lets the run go on", func(ctx SpecContext) {
		prepared(ctx, "sound")
		must(w.validate().Handle(ctx, run(pipeline.TrainAndScore, "")))
		Expect(w.catalog.Drop(ctx, query.TableOf(resource.CustomersTable))).To(BeTrue())
		Expect(w.store.Erase(ctx, resource.Raw)).Error().NotTo(HaveOccurred())
		columns := ""
		for i, c := range must(w.catalog.Columns(ctx, query.TableOf(resource.TrainingTable))) {
			if i > 0 {
				columns += ", "
			}
			switch c.Name {
			case "churn_risk_score":
				columns += "1e0 AS churn_risk_score"
			default:
				columns += c.Name
			}
		}
		all := "(SELECT * FROM engagement_raw.training_data UNION ALL SELECT * FROM engagement_raw.test_data)"
		Expect(w.sql.Exec(ctx, query.Statement{Name: "moved", SQL: "CREATE TABLE engagement_raw.customers WITH (external_location = 's3://engagement-data/raw/') AS SELECT " + columns + " FROM " + all})).Error().NotTo(HaveOccurred())
		out := must(w.validate().Handle(ctx, run(pipeline.TrainAndScore, "")))
		Expect(out.Status).To(Equal("warning"))
		report := document[datavalidation.Report](ctx, w, resource.Results, "runs/run-1/validation.json")
		Expect(report.Findings).To(HaveLen(1))
		Expect(report.Findings[0]).To(And(HaveField("Rule", "drift"), HaveField("Column", BeEquivalentTo("churn_risk_score"))))
	})

	It("stops on planted defects, each found, with the report's place in the error", func(ctx SpecContext) {
		prepared(ctx, "defects")
		_, err := w.validate().Handle(ctx, run(pipeline.TrainAndScore, ""))
		Expect(nameOf(err)).To(Equal(pipeline.ValidationFailed))
		Expect(err).To(MatchError(ContainSubstring("s3://engagement-results/runs/run-1/validation.json")))
		var failed *datavalidation.Failed
		Expect(errors.As(err, &failed)).To(BeTrue())
		report := document[datavalidation.Report](ctx, w, resource.Results, "runs/run-1/validation.json")
		found := map[string]int64{}
		for _, f := range report.Findings {
			found[f.Rule+" "+string(f.Column)] = f.Count
		}
		for _, rule := range []string{"required avg_daily_logins", "range avg_session_duration_min", "enum device_type", "unique customer_id", "pattern customer_id", "free-plan premium_feature_usage_rate", "reference ", "degree total_connections"} {
			Expect(found).To(HaveKey(rule))
		}
		Expect(found["unique customer_id"]).To(BeEquivalentTo(1))
		Expect(must(w.notes().Get(ctx, resource.AcceptedData))).To(Equal("none"), "what is refused is not accepted")
		Expect(w.keys(ctx, resource.Location{Bucket: resource.Results, Prefix: "runs/run-1/"})).To(Equal([]string{"runs/run-1/validation.json"}))
	})

	It("finds a table that is not that of the schema", func(ctx SpecContext) {
		prepared(ctx, "sound")
		Expect(w.catalog.Drop(ctx, query.TableOf(resource.CustomersTable))).To(BeTrue())
		Expect(w.sql.Exec(ctx, query.Statement{Name: "t", SQL: "CREATE EXTERNAL TABLE engagement_raw.customers (customer_id string, age string, extra int) STORED AS PARQUET LOCATION 's3://engagement-data/raw/'"})).Error().NotTo(HaveOccurred())
		_, err := w.validate().Handle(ctx, run(pipeline.TrainAndScore, ""))
		Expect(nameOf(err)).To(Equal(pipeline.ValidationFailed))
		report := document[datavalidation.Report](ctx, w, resource.Results, "runs/run-1/validation.json")
		Expect(report.Findings).To(ContainElements(
			And(HaveField("Column", BeEquivalentTo("age")), HaveField("Message", "the column is string, want int")),
			And(HaveField("Column", BeEquivalentTo("extra")), HaveField("Message", "the schema has no such column")),
			And(HaveField("Column", BeEquivalentTo("gender")), HaveField("Message", "the table has no such column"))))
	})

	It("fails with the denied action", func(ctx SpecContext) {
		prepared(ctx, "sound")
		_, err := w.but(ctx, "ssm:PutParameter").validate().Handle(ctx, run(pipeline.TrainAndScore, ""))
		Expect(err).To(And(MatchError(store.ErrDenied), MatchError(ContainSubstring("ssm:PutParameter"))))
		Expect(must(w.notes().Get(ctx, resource.AcceptedData))).To(Equal("none"))
	})
})
