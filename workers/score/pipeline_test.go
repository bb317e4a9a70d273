package score_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"engage/internal/dataset"
	"engage/internal/frame"
	"engage/internal/generate"
	"engage/internal/localaws"
	"engage/internal/model/xgb"
	"engage/internal/parquetfile"
	"engage/internal/query"
	"engage/internal/resource"
	"engage/internal/schema"
	"engage/internal/store"
	"engage/internal/store/s3"
	"engage/workers/registry"
	"engage/workers/score"
	"engage/workers/sink"
	"engage/workers/source"
	"engage/workers/train"
)

var silent = slog.New(slog.NewTextHandler(io.Discard, nil))

// customers makes a data set of n customers.
func customers(t *testing.T, n int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	if _, err := generate.Run(t.Context(), generate.Options{Rows: n, Seed: 3, Dir: dir, Formats: []string{dataset.Parquet}}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// quick are parameters that train in a second.
func quick() train.Params {
	p := train.DefaultParams()
	p.MaxDepth, p.LearningRate, p.Rounds = 4, 0.2, 25
	return p
}

// trainedIn trains on a data set and returns the model's directory.
func trainedIn(t *testing.T, data string) registry.Directory {
	t.Helper()
	if _, err := xgb.Open(os.Getenv("ENGAGE_LIBXGBOOST")); err != nil {
		t.Skip(err)
	}
	input, origin, err := source.Directory(data)
	if err != nil {
		t.Fatal(err)
	}
	shelf := registry.Directory{Path: filepath.Join(t.TempDir(), "model")}
	_, err = train.Run(t.Context(), train.Config{Model: resource.EngagementModel, Version: resource.FirstVersion, Seed: 1, Params: quick()},
		train.Deps{Library: func() (*xgb.Library, error) { return xgb.Open(os.Getenv("ENGAGE_LIBXGBOOST")) }, Training: input, Origin: origin, Shelf: shelf, Now: time.Now, Log: silent})
	if err != nil {
		t.Fatal(err)
	}
	return shelf
}

// cloud is the embedded endpoint with the pipeline's buckets.
type cloud struct {
	config aws.Config
	client *awss3.Client
	store  *s3.Store
	names  store.Names
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	e, err := localaws.Open(localaws.Config{Addr: "127.0.0.1:0", Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := &cloud{names: store.Names{}, config: aws.Config{Region: "us-east-1", BaseEndpoint: aws.String(e.URL()), Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}}
	c.client = awss3.NewFromConfig(c.config)
	for _, b := range resource.Buckets() {
		c.names[b] = resource.LocalEnvironment().Bucket(b)
		if _, err := c.client.CreateBucket(t.Context(), &awss3.CreateBucketInput{Bucket: aws.String(c.names[b])}); err != nil {
			t.Fatal(err)
		}
	}
	c.store = s3.New(c.client, c.names)
	return c
}

func (c *cloud) put(t *testing.T, l resource.Location, name string, body []byte) {
	t.Helper()
	if err := c.store.Put(t.Context(), l.Bucket, l.Key(name), body, ""); err != nil {
		t.Fatal(err)
	}
}

// file is a Parquet file of some columns, in another order than the table's, of
// the customers that pass, in small row groups.
func file(t *testing.T, path string, columns []schema.Name, pass func(id string) bool) []byte {
	t.Helper()
	columns = slices.Clone(columns)
	slices.Reverse(columns)
	r, err := parquetfile.Open(path, &schema.Customers, parquetfile.ReadOptions{Columns: columns, BatchRows: 170})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var out bytes.Buffer
	w := parquetfile.NewWriter(&out, r.Table())
	for {
		b, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		var keep []int
		for i, id := range b.Column(schema.CustomerID).Strings {
			if pass(id) {
				keep = append(keep, i)
			}
		}
		if len(keep) == 0 {
			continue
		}
		block, err := w.Encode(pick(b, keep))
		if err == nil {
			err = w.Append(block)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func pick(b *frame.Batch, rows []int) *frame.Batch {
	out := frame.New(b.Table, len(rows))
	for k := range b.Columns {
		from, to := &b.Columns[k], &out.Columns[k]
		for i, row := range rows {
			switch {
			case from.Strings != nil:
				to.Strings[i] = from.Strings[row]
			case from.Ints != nil:
				to.Ints[i] = from.Ints[row]
			case from.Floats != nil:
				to.Floats[i] = from.Floats[row]
			default:
				to.Bools[i] = from.Bools[row]
			}
			if !from.Present(row) {
				to.SetNull(i, len(rows))
			}
		}
	}
	return out
}

// The two tasks over S3: the tables as queries leave them, the registry, the
// predictions and the catalog.
func TestPipelineOverS3(t *testing.T) {
	if _, err := xgb.Open(os.Getenv("ENGAGE_LIBXGBOOST")); err != nil {
		t.Skip(err)
	}
	data := customers(t, 2000)
	c := newCloud(t)
	path := filepath.Join(data, dataset.CustomersParquet)
	all := schema.Customers.Names()
	known := slices.DeleteFunc(slices.Clone(all), func(n schema.Name) bool {
		column, _ := schema.Customers.Column(n)
		return column.Role == schema.Target
	})
	odd := func(id string) bool { return id[len(id)-1]%2 == 1 }
	manifest, err := os.ReadFile(filepath.Join(data, dataset.ManifestFile))
	if err != nil {
		t.Fatal(err)
	}
	c.put(t, resource.Landing, "seed-3/dataset.json", manifest)
	c.put(t, resource.Training, "20261123_a", file(t, path, all, func(id string) bool { return query.InTraining(id) && odd(id) }))
	c.put(t, resource.Training, "20261123_b", file(t, path, all, func(id string) bool { return query.InTraining(id) && !odd(id) }))
	c.put(t, resource.Training, "_SUCCESS", []byte("x"))
	c.put(t, resource.Training, "empty", nil)
	c.put(t, resource.Test, "20261123_c", file(t, path, all, func(id string) bool { return !query.InTraining(id) }))
	c.put(t, resource.Inference, "20261123_d", file(t, path, known, odd))
	c.put(t, resource.Inference, "20261123_e", file(t, path, known, func(id string) bool { return !odd(id) }))

	config := train.Config{Model: resource.EngagementModel, Version: resource.FirstVersion, RunID: "run-1", Seed: 1, Params: quick()}
	deps, err := train.FromStore(t.Context(), c.store, config, "landing/seed-3/", silent)
	if err != nil {
		t.Fatal(err)
	}
	deps.Library = func() (*xgb.Library, error) { return xgb.Open(os.Getenv("ENGAGE_LIBXGBOOST")) }
	trained, err := train.Run(t.Context(), config, deps)
	if err != nil {
		t.Fatal(err)
	}
	if trained.Place != "s3://engagement-models/engagement/v1.0/" || trained.TestR2 == nil || *trained.TestR2 < 0.6 || trained.Training+trained.Test != 2000 {
		t.Errorf("trained %+v", trained)
	}
	meta, err := registry.Load(t.Context(), registry.Stored{Store: c.store, Model: config.Model, Version: config.Version})
	if err != nil || meta.Metadata.RunID != "run-1" || meta.Metadata.Data.Hash == "" || meta.Metadata.Data.Hash != registry.Hash(manifest) {
		t.Errorf("metadata %+v, %v", meta, err)
	}
	scoring, err := score.FromStore(t.Context(), c.store, c.client, c.names, config.Model, config.Version, silent)
	if err != nil {
		t.Fatal(err)
	}
	scored, err := score.Run(t.Context(), score.Config{Version: config.Version, Contributions: score.Top5, BatchRows: 333}, scoring)
	if err != nil || scored.Rows != 2000 || scored.Place != "s3://engagement-predictions/predictions_v1.parquet" {
		t.Fatalf("%+v, %v", scored, err)
	}
	text, err := store.ReadAll(t.Context(), c.store, resource.Predictions, "predictions_v1.parquet")
	if err != nil {
		t.Fatal(err)
	}
	r, err := parquetfile.NewReader(bytes.NewReader(text), int64(len(text)), schema.Predictions, parquetfile.ReadOptions{})
	if err != nil || r.Rows() != 2000 {
		t.Fatalf("%v: %d rows", err, r.Rows())
	}
	register(t, c)
}

// register makes the table known, twice, and reads it back.
func register(t *testing.T, c *cloud) {
	t.Helper()
	client := glue.NewFromConfig(c.config)
	database := aws.String(string(resource.PredictionsDatabase))
	if _, err := client.CreateDatabase(t.Context(), &glue.CreateDatabaseInput{DatabaseInput: &types.DatabaseInput{Name: database}}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := score.Register(t.Context(), client, c.store.URI(resource.Scored)); err != nil {
			t.Fatal(err)
		}
	}
	out, err := client.GetTable(t.Context(), &glue.GetTableInput{DatabaseName: database, Name: aws.String("predictions")})
	if err != nil {
		t.Fatal(err)
	}
	if n, where := len(out.Table.StorageDescriptor.Columns), aws.ToString(out.Table.StorageDescriptor.Location); n != len(schema.Predictions.Columns) || where != "s3://engagement-predictions/" {
		t.Errorf("%d columns at %s", n, where)
	}
}

// What fails leaves no object and no parts of one.
func TestAbortedUploadLeavesNothing(t *testing.T) {
	c := newCloud(t)
	o := sink.Object{Client: c.client, Bucket: c.names[resource.Predictions], Key: "predictions_v1.parquet"}
	for name, end := range map[string]func(sink.Sink, context.CancelFunc) error{
		"aborted":   func(s sink.Sink, _ context.CancelFunc) error { return errors.Join(s.Abort(), errors.New("aborted")) },
		"cancelled": func(s sink.Sink, cancel context.CancelFunc) error { cancel(); return s.Commit() },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		s, err := o.Create(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Write(make([]byte, 40<<20)); err != nil {
			t.Fatal(err)
		}
		if err := end(s, cancel); err == nil {
			t.Errorf("%s: committed", name)
		}
		cancel()
		uploads, err := c.client.ListMultipartUploads(t.Context(), &awss3.ListMultipartUploadsInput{Bucket: &o.Bucket})
		if err != nil || len(uploads.Uploads) > 0 {
			t.Errorf("%s: %d uploads are left, %v", name, len(uploads.Uploads), err)
		}
		if _, err := c.store.Get(t.Context(), resource.Predictions, o.Key); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: there is an object: %v", name, err)
		}
	}
	s, err := o.Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write(make([]byte, 40<<20)); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Commit(), s.Abort()); err != nil {
		t.Fatal(err)
	}
	for o, err := range c.store.List(t.Context(), resource.Scored) {
		if err != nil || o.Size != 40<<20 {
			t.Errorf("%+v, %v", o, err)
		}
	}
}

// Scores do not depend on how many rows go together or on threads; the median is
// that of all scores.
func TestBatchesDoNotMatter(t *testing.T) {
	data := customers(t, 1500)
	shelf := trainedIn(t, data)
	input, _, err := source.Directory(data)
	if err != nil {
		t.Fatal(err)
	}
	var first []byte
	for i, c := range []score.Config{{}, {BatchRows: 1500, Threads: 1}, {BatchRows: 7, Threads: 2}, {BatchRows: 700}} {
		c.Contributions, c.Version = score.Top5, resource.FirstVersion
		out := filepath.Join(t.TempDir(), "scores.parquet")
		r, err := score.Run(t.Context(), c, score.Deps{Shelf: shelf, Input: input, Output: sink.File{Path: out}, Now: func() time.Time { return time.Unix(0, 0) }, Log: silent})
		if err != nil {
			t.Fatal(err)
		}
		text := []byte(rows(t, out, r.Range))
		if i == 0 {
			first = text
		}
		if !bytes.Equal(text, first) {
			t.Errorf("%+v gives other scores", c)
		}
	}
}

// rows are a file's scores and strongest features as text; impacts are left out,
// whose last digits depend on the order of sums. The median is checked by the way.
func rows(t *testing.T, path string, of score.Range) string {
	t.Helper()
	r, err := parquetfile.Open(path, schema.Predictions, parquetfile.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var out strings.Builder
	var scores []float64
	for {
		b, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.Rows {
			scores = append(scores, b.Columns[1].Floats[i])
			fmt.Fprintln(&out, b.Columns[0].Strings[i], b.Columns[1].Floats[i], b.Columns[3].Strings[i], b.Columns[4].Strings[i])
		}
	}
	slices.Sort(scores)
	if m := scores[(len(scores)-1)/2]; of.Median < m*(1-2e-4) || of.Median > m*(1+2e-4) || of.Min != scores[0] || of.Max != scores[len(scores)-1] {
		t.Errorf("range %+v, the median is %g", of, m)
	}
	return out.String()
}
