package pipeline_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"engage/internal/dataset"
	"engage/internal/pipeline"
	"engage/internal/query"
	"engage/internal/resource"
	"engage/internal/store"
)

var _ = Describe("data-prep-lambda", func() {
	It("makes the tables of the newest data set, and divides customers by their hash", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.land(ctx, "other")
		w.land(ctx, "sound")
		out := must(w.prepare().Handle(ctx, run(pipeline.TrainAndScore, "")))
		Expect(out.Dataset).To(Equal("landing/sound/"))
		sum := sha256.Sum256(must(os.ReadFile(filepath.Join(made, "sound", dataset.ManifestFile))))
		Expect(out.DataHash).To(Equal(hex.EncodeToString(sum[:])))
		Expect(out.InferenceRecords).To(BeEquivalentTo(rows))
		Expect(out.TrainingRecords + out.TestRecords).To(BeEquivalentTo(rows))
		Expect(out.TrainingRecords).To(BeNumerically("~", rows*8/10, rows/25), "four fifths, within about 4.5 standard deviations")
		Expect(out.Locations).To(HaveKeyWithValue("test", "s3://engagement-data/processed/test/"))

		for _, r := range w.ask(ctx, "SELECT customer_id FROM engagement_raw.training_data") {
			Expect(query.InTraining(r["customer_id"])).To(BeTrue())
		}
		for _, r := range w.ask(ctx, "SELECT customer_id FROM engagement_raw.test_data") {
			Expect(query.InTraining(r["customer_id"])).To(BeFalse())
		}
		columns := must(w.catalog.Columns(ctx, query.TableOf(resource.InferenceTable)))
		for _, c := range columns {
			Expect(c.Name).NotTo(BeElementOf("engagement_score", "churn_30_day", "lifetime_value_usd", "next_action", "email", "phone", "full_name"))
		}
		Expect(w.number(ctx, "SELECT count(*) FROM engagement_raw.customers WHERE total_connections IS NOT NULL")).To(BeEquivalentTo(rows))
		Expect(w.number(ctx, "SELECT count(*) FROM engagement_raw.connections")).To(BeNumerically(">", rows))
		Expect(w.keys(ctx, resource.Raw)).To(Equal([]string{"raw/customers.parquet"}), "no restricted column leaves the landing prefix")
	})

	It("divides the same customers the same way when the data is CSV, and again when it is retried", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.land(ctx, "other")
		first := must(w.prepare().Handle(ctx, run(pipeline.TrainAndScore, "other/")))
		ids := w.ask(ctx, "SELECT customer_id FROM engagement_raw.test_data ORDER BY 1")
		Expect(must(w.prepare().Handle(ctx, run(pipeline.TrainAndScore, "other/")))).To(Equal(first))
		Expect(w.ask(ctx, "SELECT customer_id FROM engagement_raw.test_data ORDER BY 1")).To(Equal(ids))
		Expect(w.keys(ctx, resource.Raw)).To(Equal([]string{"raw/customers.csv"}))
	})

	It("takes what is prepared when it only scores the same data", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.land(ctx, "sound")
		first := must(w.prepare().Handle(ctx, run(pipeline.TrainAndScore, "")))
		before := w.keys(ctx, resource.Processed)
		Expect(must(w.prepare().Handle(ctx, run(pipeline.ScoreOnly, "")))).To(Equal(first))
		Expect(w.keys(ctx, resource.Processed)).To(Equal(before))
		w.land(ctx, "other")
		out := must(w.prepare().Handle(ctx, run(pipeline.ScoreOnly, "other/")))
		Expect(out.DataHash).NotTo(Equal(first.DataHash))
		Expect(w.keys(ctx, resource.Raw)).To(Equal([]string{"raw/customers.csv"}))
	})

	It("refuses data that is not there or not whole, and leaves nothing", func(ctx SpecContext) {
		w := newWorld(ctx)
		var bad *pipeline.InputError
		_, err := w.prepare().Handle(ctx, pipeline.Run{RunID: "run-1", Mode: "all", Dataset: "../x", ModelVersion: "one"})
		Expect(err).To(BeAssignableToTypeOf(bad))
		_, err = w.prepare().Handle(ctx, run(pipeline.TrainAndScore, ""))
		Expect(err).To(MatchError(ContainSubstring("holds no data set")))
		_, err = w.prepare().Handle(ctx, run(pipeline.TrainAndScore, "nothing/"))
		Expect(err).To(MatchError(ContainSubstring("landing/nothing/: has no dataset.json")))
		w.land(ctx, "sound")
		w.put(ctx, resource.Landing.Bucket, "landing/sound/connections.parquet", []byte("PAR1"))
		_, err = w.prepare().Handle(ctx, run(pipeline.TrainAndScore, "sound/"))
		Expect(err).To(MatchError(ContainSubstring("connections.parquet has 4 bytes")))
		Expect(nameOf(err)).To(Equal(pipeline.InvalidInput))
		Expect(w.keys(ctx, resource.Location{Bucket: resource.Data, Prefix: "raw/"})).To(BeEmpty())
		_, err = w.catalog.Columns(ctx, query.TableOf(resource.CustomersTable))
		Expect(err).To(MatchError(store.ErrNotFound))
	})

	It("fails with the denied action, and leaves no half of a table", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.land(ctx, "sound")
		_, err := w.but(ctx, "glue:CreateTable").prepare().Handle(ctx, run(pipeline.TrainAndScore, ""))
		Expect(err).To(MatchError(store.ErrDenied))
		Expect(err).To(MatchError(ContainSubstring("glue:CreateTable")))
		Expect(w.keys(ctx, resource.Raw)).To(BeEmpty())
		Expect(w.keys(ctx, resource.Processed)).To(BeEmpty())
	})
})
