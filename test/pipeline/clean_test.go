package pipeline_test

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"engage/internal/pipeline"
	"engage/internal/query"
	"engage/internal/resource"
	"engage/internal/store"
)

var _ = Describe("pre-cleanup-lambda", func() {
	var w *world
	v1, v11 := resource.FirstVersion, resource.Version{Major: 1, Minor: 1}
	kept := []string{"s3://engagement-data/landing/x", "s3://engagement-models/engagement/v1.1/model.json", "s3://engagement-results/runs/old/manifest.json", "s3://engagement-audit/cloudtrail/x"}
	BeforeEach(func(ctx SpecContext) {
		w = newWorld(ctx)
		for _, l := range append(resource.RunOutputs(v1), resource.Landing, resource.EngagementModel.Location(v11), resource.Trail) {
			w.put(ctx, l.Bucket, l.Key("x"), []byte("1"))
		}
		w.put(ctx, resource.Runs.Bucket, resource.RunID("old").ManifestKey(), nil)
		w.put(ctx, resource.Models, resource.EngagementModel.Key(v11, resource.ModelFile), nil)
		w.put(ctx, resource.Data, "raw/x", []byte("2"))
		Expect(w.sql.Exec(ctx, query.Statement{Name: "t", SQL: `CREATE TABLE "engagement_analytics"."final_results" WITH (partitioned_by = ARRAY['k'], external_location = 's3://engagement-results/final/t/') AS SELECT 1 AS v, CAST(x AS VARCHAR) AS k FROM UNNEST(sequence(1, 60)) AS u(x)`})).Error().NotTo(HaveOccurred())
		Expect(w.sql.Exec(ctx, query.Statement{Name: "v", SQL: `CREATE OR REPLACE VIEW "engagement_analytics"."model_performance" AS SELECT v FROM "engagement_analytics"."final_results"`})).Error().NotTo(HaveOccurred())
		Expect(w.sql.Exec(ctx, query.Statement{Name: "r", SQL: `CREATE TABLE "engagement_raw"."customers" WITH (external_location = 's3://engagement-data/raw/t/') AS SELECT 1 AS v`})).Error().NotTo(HaveOccurred())
	})

	all := func(ctx SpecContext) (keys []string) {
		for _, b := range resource.Buckets() {
			for _, k := range w.keys(ctx, resource.Location{Bucket: b}) {
				keys = append(keys, fmt.Sprintf("s3://%s/%s", environment.Bucket(b), k))
			}
		}
		return keys
	}

	It("deletes what a run makes, every version, and nothing else", func(ctx SpecContext) {
		out := must(w.clean().Handle(ctx, run(pipeline.TrainAndScore, "")))
		Expect(out.Status).To(Equal("success"))
		Expect(out.TablesDropped).To(Equal(3))
		Expect(out.ObjectsDeleted).To(BeNumerically(">", len(resource.RunOutputs(v1))+60))
		Expect(out.Timestamp).To(Equal("2026-11-23T12:00:00Z"))
		Expect(all(ctx)).To(ConsistOf(append(kept, "s3://engagement-models/engagement/v1.1/x")))
		again := must(w.clean().Handle(ctx, run(pipeline.TrainAndScore, "")))
		Expect(again.TablesDropped+again.ObjectsDeleted).To(BeZero(), "what is not there is no error")
	})

	It("keeps the model and what is prepared when the run only scores", func(ctx SpecContext) {
		must(w.clean().Handle(ctx, run(pipeline.ScoreOnly, "")))
		Expect(must(w.catalog.Columns(ctx, query.TableOf(resource.CustomersTable)))).To(HaveLen(1))
		Expect(all(ctx)).To(ContainElements("s3://engagement-models/engagement/v1.0/x", "s3://engagement-data/raw/x", "s3://engagement-data/processed/x"))
		Expect(w.keys(ctx, resource.Scored)).To(BeEmpty())
		Expect(w.keys(ctx, resource.Final)).To(BeEmpty())
	})

	It("fails where it may not delete, and says what it was denied", func(ctx SpecContext) {
		_, err := w.but(ctx, "glue:BatchDeletePartition").clean().Handle(ctx, run(pipeline.TrainAndScore, ""))
		Expect(err).To(MatchError(store.ErrDenied))
		Expect(err).To(MatchError(ContainSubstring("glue:BatchDeletePartition")))
		_, err = w.but(ctx, "s3:DeleteObjectVersion").clean().Handle(ctx, run(pipeline.TrainAndScore, ""))
		Expect(err).To(MatchError(store.ErrDenied))
		Expect(err).To(MatchError(ContainSubstring("AccessDenied")))
		Expect(w.keys(ctx, resource.Landing)).To(HaveLen(1))
	})

	It("refuses a run that it does not understand", func(ctx SpecContext) {
		_, err := w.clean().Handle(ctx, pipeline.Run{RunID: "../x", Mode: pipeline.TrainAndScore, ModelVersion: "v1"})
		Expect(nameOf(err)).To(Equal(pipeline.InvalidInput))
		Expect(w.keys(ctx, resource.Raw)).NotTo(BeEmpty())
	})
})
