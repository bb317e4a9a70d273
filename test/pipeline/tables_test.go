package pipeline_test

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"engage/internal/pipeline"
	"engage/internal/query"
	"engage/internal/resource"
	"engage/internal/schema"
	"engage/internal/store"
)

var _ = Describe("The tables that people read", func() {
	var w *world
	metadata := func(ctx SpecContext, text string) {
		w.put(ctx, resource.Models, "engagement/v1.0/metadata.json", []byte(text))
	}
	BeforeEach(func(ctx SpecContext) {
		w = newWorld(ctx)
		w.land(ctx, "sound")
		must(w.prepare().Handle(ctx, run(pipeline.TrainAndScore, "")))
		w.score(ctx)
		metadata(ctx, `{"algorithm":"xgboost","metrics":{"rmse":0.125,"r2":0.5,"mae":0.1},"more":1}`)
	})

	Describe("create-qa-table-lambda", func() {
		It("picks what to review by reason, the same each time", func(ctx SpecContext) {
			out := must(w.review().Handle(ctx, run(pipeline.TrainAndScore, "")))
			Expect(out.Status).To(Equal("success"))
			Expect(out.Location).To(Equal("s3://engagement-qa/review_queue/"))
			wrong := w.number(ctx, `SELECT count(*) FROM engagement_raw.test_data t JOIN engagement_predictions.predictions p ON t.customer_id = p.customer_id WHERE abs(t.engagement_score - p.predicted_engagement_score) > 0.3`)
			Expect(wrong).To(BeNumerically(">", 50))
			Expect(out.Breakdown).To(HaveKeyWithValue("high_pred", query.ReviewEach))
			Expect(out.Breakdown).To(HaveKeyWithValue("low_pred", query.ReviewEach))
			Expect(out.Breakdown).To(HaveKeyWithValue("baseline", query.ReviewEach))
			Expect(out.Breakdown["large_error"]).To(And(BeNumerically(">", 0), BeNumerically("<=", query.ReviewErrorCap)))
			Expect(out.Records).To(Equal(3*query.ReviewEach + out.Breakdown["large_error"]))

			Expect(w.number(ctx, "SELECT count(DISTINCT customer_id) FROM engagement_qa.human_review")).To(BeEquivalentTo(out.Records))
			Expect(w.number(ctx, "SELECT count(*) FROM engagement_qa.human_review WHERE reviewer_notes IS NULL AND review_status IS NULL")).To(BeEquivalentTo(out.Records))
			Expect(w.number(ctx, "SELECT count(*) FROM engagement_qa.human_review WHERE (data_split = 'training') <> (prediction_error IS NULL)")).To(BeZero())
			Expect(w.number(ctx, "SELECT count(*) FROM engagement_qa.human_review WHERE qa_reason = 'large_error' AND prediction_error <= 0.3")).To(BeZero())
			Expect(w.number(ctx, "SELECT count(*) FROM engagement_predictions.predictions WHERE predicted_engagement_score > (SELECT min(predicted_engagement_score) FROM engagement_qa.human_review WHERE qa_reason = 'high_pred')")).To(BeNumerically("<", query.ReviewEach))
			columns := must(w.catalog.Columns(ctx, query.TableOf(resource.ReviewTable)))
			Expect(columns).To(ContainElements(query.Column{Name: "reviewer_notes", Type: "string"}, query.Column{Name: "review_status", Type: "string"}))

			list := "SELECT * FROM engagement_qa.human_review ORDER BY customer_id"
			before := w.ask(ctx, list)
			must(w.review().Handle(ctx, run(pipeline.TrainAndScore, "")))
			Expect(w.ask(ctx, list)).To(Equal(before))
			seeded := run(pipeline.TrainAndScore, "")
			seeded.Seed++
			must(w.review().Handle(ctx, seeded))
			Expect(w.ask(ctx, list)).NotTo(Equal(before), "another seed draws other customers")
		})

		It("shows no confidential value in the masked view", func(ctx SpecContext) {
			must(w.review().Handle(ctx, run(pipeline.TrainAndScore, "")))
			Expect(w.ask(ctx, "SELECT DISTINCT gender, location FROM engagement_qa.human_review_masked")).To(Equal([]query.Row{{"gender": "***", "location": "***"}}))
			Expect(w.number(ctx, "SELECT count(*) FROM engagement_qa.human_review_masked WHERE age % 10 <> 0")).To(BeZero())
		})

		It("fails with what it was denied, and leaves nothing", func(ctx SpecContext) {
			_, err := w.but(ctx, "s3:PutObject").review().Handle(ctx, run(pipeline.TrainAndScore, ""))
			Expect(err).To(MatchError(store.ErrDenied))
			Expect(w.keys(ctx, resource.ReviewQueue)).To(BeEmpty())
			_, err = w.catalog.Columns(ctx, query.TableOf(resource.ReviewTable))
			Expect(err).To(MatchError(store.ErrNotFound))
		})
	})

	Describe("create-results-table-lambda", func() {
		It("joins all customers with their predictions, by location and plan", func(ctx SpecContext) {
			out := must(w.results().Handle(ctx, run(pipeline.TrainAndScore, "")))
			Expect(out.Records).To(BeEquivalentTo(rows))
			Expect(out.Partitions).To(Equal(map[string]int{
				"locations":     int(w.number(ctx, "SELECT count(DISTINCT location) FROM engagement_raw.customers")),
				"account_types": 2,
			}))
			Expect(out.Views).To(ContainElements("high_value_customers", "at_risk_customers", "model_performance", "final_results_masked", "customers_masked"))
			pairs := w.number(ctx, "SELECT count(*) FROM (SELECT DISTINCT location, account_type FROM engagement_raw.customers)")
			Expect(must(glue.NewFromConfig(w.config).GetPartitions(ctx, &glue.GetPartitionsInput{DatabaseName: aws.String("engagement_analytics"), TableName: aws.String("final_results")})).Partitions).To(HaveLen(int(pairs)))
			tested := w.number(ctx, "SELECT count(*) FROM engagement_raw.test_data")
			Expect(out.Performance.Rows).To(Equal(tested))
			Expect(out.Performance.Accurate + out.Performance.Acceptable + out.Performance.Poor).To(Equal(tested))
			Expect(w.number(ctx, "SELECT count(*) FROM engagement_analytics.final_results WHERE prediction_quality = 'in_training' AND prediction_error IS NULL AND data_split = 'training'")).To(BeEquivalentTo(rows - tested))
			Expect(w.ask(ctx, "SELECT DISTINCT model_type, model_r2_score, model_rmse, pipeline_run_id, top_feature_1, CAST(results_created_at AS VARCHAR) AS at FROM engagement_analytics.final_results")).
				To(Equal([]query.Row{{"model_type": "xgboost", "model_r2_score": "0.5", "model_rmse": "0.125", "pipeline_run_id": "run-1", "top_feature_1": "avg_daily_logins", "at": "2026-11-23 12:00:00.000"}}))
			Expect(w.number(ctx, "SELECT count(*) FROM engagement_analytics.final_results f JOIN engagement_raw.customers c ON f.customer_id = c.customer_id AND f.location = c.location AND f.actual_engagement_score = c.engagement_score AND f.trust_score = c.trust_score")).To(BeEquivalentTo(rows))

			performance := w.ask(ctx, "SELECT * FROM engagement_analytics.model_performance")
			Expect(performance).To(HaveLen(1))
			Expect(performance[0]).To(And(HaveKeyWithValue("total_predictions", fmt.Sprint(rows)), HaveKeyWithValue("evaluated_predictions", fmt.Sprint(tested)), HaveKeyWithValue("poor_count", fmt.Sprint(out.Performance.Poor))))
			Expect(w.number(ctx, "SELECT count(*) FROM engagement_analytics.high_value_customers WHERE predicted_engagement_score < 0.7 OR account_type <> 'premium'")).To(BeZero())
			Expect(w.number(ctx, "SELECT count(*) FROM engagement_analytics.at_risk_customers WHERE predicted_engagement_score >= 0.3 AND churn_risk_score <= 0.5")).To(BeZero())

			m := document[pipeline.Manifest](ctx, w, resource.Results, "runs/run-1/manifest.json")
			Expect(out.Manifest).To(Equal("s3://engagement-results/runs/run-1/manifest.json"))
			Expect(m.Metrics).To(HaveKeyWithValue("rmse", 0.125))
			Expect(m.Rows).To(HaveKeyWithValue("final_results", int64(rows)))
			Expect(m.DataHash).To(HaveLen(64))
			again := must(w.results().Handle(ctx, run(pipeline.TrainAndScore, "")))
			Expect(again.Records).To(BeEquivalentTo(rows), "a second try finds no leftovers")
		})

		It("writes more partitions than one statement may, one unnamed among them", func(ctx SpecContext) {
			const places = 60
			columns := ""
			for i, c := range must(w.catalog.Columns(ctx, query.TableOf(resource.CustomersTable))) {
				if i > 0 {
					columns += ", "
				}
				if c.Name == "location" {
					columns += fmt.Sprintf("nullif(concat('L', CAST(CAST(substr(customer_id, 6) AS BIGINT) %% %d AS VARCHAR)), 'L0') AS location", places)
					continue
				}
				columns += c.Name
			}
			all := "(SELECT * FROM engagement_raw.training_data UNION ALL SELECT * FROM engagement_raw.test_data)"
			made := query.Tables{SQL: w.sql, Catalog: w.catalog, Store: w.store}.Make(ctx, resource.CustomersTable,
				query.Statement{Name: "moved", SQL: "CREATE TABLE engagement_raw.customers WITH (external_location = 's3://engagement-data/raw/') AS SELECT " + columns + " FROM " + all})
			Expect(made).To(Succeed())
			out := must(w.results().Handle(ctx, run(pipeline.TrainAndScore, "")))
			Expect(out.Records).To(BeEquivalentTo(rows))
			Expect(out.Partitions).To(Equal(map[string]int{"locations": places - 1, "account_types": 2}), "the unnamed one is none")
			Expect(w.number(ctx, "SELECT count(*) FROM (SELECT location, account_type FROM engagement_analytics.final_results GROUP BY location, account_type)")).To(BeNumerically(">", query.PartitionLimit))
			Expect(w.number(ctx, "SELECT count(DISTINCT customer_id) FROM engagement_analytics.final_results")).To(BeEquivalentTo(rows))
		})

		It("masks every confidential column of every table that has one", func(ctx SpecContext) {
			must(w.review().Handle(ctx, run(pipeline.TrainAndScore, "")))
			must(w.results().Handle(ctx, run(pipeline.TrainAndScore, "")))
			for _, t := range resource.MaskedTables() {
				open := must(w.catalog.Columns(ctx, query.TableOf(t)))
				masked := must(w.catalog.Columns(ctx, query.ViewOf(t.Masked())))
				Expect(masked).To(HaveLen(len(open)), string(t))
				for _, c := range open {
					known, ok := schema.Customers.Column(schema.Name(c.Name))
					if !ok || known.Classification < schema.Confidential {
						continue
					}
					distinct := fmt.Sprintf("SELECT count(DISTINCT %s) FROM %s", c.Name, query.ViewOf(t.Masked()))
					Expect(w.number(ctx, distinct)).To(BeNumerically("<=", 11), "%s of %s", c.Name, t)
				}
			}
		})

		It("does not report figures that the model does not have", func(ctx SpecContext) {
			for text, why := range map[string]string{
				`{"algorithm":"xgboost","metrics":{"rmse":0.1}}`: "has no metric r2", `{"metrics":{}}`: "names no algorithm", `{`: "unexpected end",
			} {
				metadata(ctx, text)
				_, err := w.results().Handle(ctx, run(pipeline.TrainAndScore, ""))
				Expect(err).To(MatchError(ContainSubstring(why)))
				Expect(nameOf(err)).To(Equal(pipeline.InvalidInput))
			}
			other := run(pipeline.TrainAndScore, "")
			other.ModelVersion = "v2"
			_, err := w.results().Handle(ctx, other)
			Expect(err).To(MatchError(ContainSubstring("engagement/v2.0/metadata.json: is not there")))
			Expect(w.keys(ctx, resource.Final)).To(BeEmpty())
		})

		It("fails with what it was denied, and leaves nothing", func(ctx SpecContext) {
			_, err := w.but(ctx, "glue:BatchCreatePartition").results().Handle(ctx, run(pipeline.TrainAndScore, ""))
			Expect(err).To(MatchError(store.ErrDenied))
			Expect(w.keys(ctx, resource.Final)).To(BeEmpty())
		})
	})
})
