package local_test

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/athena"
	athenatypes "github.com/aws/aws-sdk-go-v2/service/athena/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	_ "github.com/duckdb/duckdb-go/v2"

	localstore "engage/internal/localaws/s3"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// built is a directory with the programs that tests run, deleted at the end.
var built = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "localaws-built") })

// program builds a command, once.
func program(name string) (string, error) {
	dir, err := built()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, filepath.Base(name))
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	c := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, name)
	if strings.HasPrefix(name, "./") { // runs where there are no libraries
		c.Env = append(os.Environ(), "CGO_ENABLED=0")
	}
	if out, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w: %s", name, err, out)
	}
	return path, nil
}

func check(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// up starts the real program over a directory and waits until it is healthy.
func up(b *testing.B, dir string) *process {
	b.Helper()
	path, err := program("engage/cmd/engage")
	check(b, err)
	c := exec.Command(path, "local", "serve", "--port", "0", "--dir", dir)
	talk, err := c.StderrPipe()
	check(b, err)
	check(b, c.Start())
	p := &process{Cmd: c}
	lines := bufio.NewScanner(talk)
	for p.url == "" && lines.Scan() {
		_, rest, _ := strings.Cut(lines.Text(), "listening on ")
		p.url, _, _ = strings.Cut(rest, ";")
	}
	answer, err := http.Get(p.url + "/_localstack/health")
	check(b, err)
	check(b, answer.Body.Close())
	return p
}

// down stops it as a user does.
func (p *process) down() {
	_ = p.Process.Signal(syscall.SIGTERM)
	_ = p.Wait()
}

func ready(b *testing.B) *sdk {
	b.Helper()
	p := up(b, b.TempDir())
	b.Cleanup(p.down)
	return newSDK(configOf(p.url, "test", "test", ""))
}

// resident is how much memory of a process is in use, in MB.
func resident(b *testing.B, pid int) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	check(b, err)
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	kb, err := strconv.Atoi(strings.Fields(rest)[0])
	check(b, err)
	return float64(kb) * 1024 / 1e6
}

// quantiles reports the median and the 99th percentile of durations, in ms.
func quantiles(b *testing.B, name string, took []time.Duration) {
	slices.Sort(took)
	at := func(q float64) float64 { return took[int(q*float64(len(took)-1))].Seconds() * 1000 }
	b.ReportMetric(at(0.5), name+"p50-ms")
	b.ReportMetric(at(0.99), name+"p99-ms")
}

// BenchmarkStart measures the start of the program until the endpoint is
// healthy, beside its start to print its help, and its memory when idle.
func BenchmarkStart(b *testing.B) {
	path, err := program("engage/cmd/engage")
	check(b, err)
	var took, bare []time.Duration
	var idle []float64
	for b.Loop() {
		begin := time.Now()
		p := up(b, b.TempDir())
		took = append(took, time.Since(begin))
		time.Sleep(time.Second) // idle is what remains when the start is over
		idle = append(idle, resident(b, p.Process.Pid))
		p.down()
		begin = time.Now()
		check(b, exec.Command(path, "--help").Run())
		bare = append(bare, time.Since(begin))
	}
	b.ReportMetric(0, "ns/op")
	slices.Sort(idle)
	b.ReportMetric(idle[len(idle)/2], "idle-MB")
	quantiles(b, "healthy-", took)
	quantiles(b, "help-", bare)
}

const large = 64 << 20

func reportRate(b *testing.B, name string, took time.Duration) {
	b.ReportMetric(large*float64(b.N)/took.Seconds()/1e6, name+"-MB/s")
}

// sums computes what S3's protocol asks of both sides for one object: the
// SHA-256 that the client signs, then the same again and the MD5 of the entity
// tag, at once as the endpoint does.
func sums(body []byte) {
	_ = sha256.Sum256(body)
	var side sync.WaitGroup
	side.Go(func() { _ = md5.Sum(body) })
	_ = sha256.Sum256(body)
	side.Wait()
}

// BenchmarkPut64MB puts objects of 64 MB, beside files written and synced, and
// beside the digests alone.
func BenchmarkPut64MB(b *testing.B) {
	c, dir, body := ready(b), b.TempDir(), bytes.Repeat([]byte("0123456789abcdef"), large/16)
	_, err := c.s3.CreateBucket(b.Context(), &s3.CreateBucketInput{Bucket: aws.String("data")})
	check(b, err)
	var put, plain, digests time.Duration
	for b.Loop() {
		begin := time.Now()
		_, err := c.s3.PutObject(b.Context(), &s3.PutObjectInput{Bucket: aws.String("data"), Key: aws.String("k"), Body: bytes.NewReader(body)})
		check(b, err)
		put += time.Since(begin)
		begin = time.Now()
		f, err := os.Create(filepath.Join(dir, "k"))
		check(b, err)
		_, err = f.Write(body)
		check(b, errors.Join(err, f.Sync(), f.Close()))
		plain += time.Since(begin)
		begin = time.Now()
		sums(body)
		digests += time.Since(begin)
	}
	reportRate(b, "put", put)
	reportRate(b, "digests", digests)
	reportRate(b, "file", plain)
}

// BenchmarkGet64MB gets an object of 64 MB, beside a file that is read, and
// beside one that net/http serves to its own client.
func BenchmarkGet64MB(b *testing.B) {
	c, file, body := ready(b), filepath.Join(b.TempDir(), "k"), bytes.Repeat([]byte("0123456789abcdef"), large/16)
	_, err := c.s3.CreateBucket(b.Context(), &s3.CreateBucketInput{Bucket: aws.String("data")})
	check(b, err)
	_, err = c.s3.PutObject(b.Context(), &s3.PutObjectInput{Bucket: aws.String("data"), Key: aws.String("k"), Body: bytes.NewReader(body)})
	check(b, err)
	check(b, os.WriteFile(file, body, 0o600))
	var get, plain, served time.Duration
	files := httptest.NewServer(http.FileServer(http.Dir(filepath.Dir(file))))
	b.Cleanup(files.Close)
	buffer := make([]byte, 1<<20)
	drain := func(r io.ReadCloser) {
		_, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{r}, buffer)
		check(b, errors.Join(err, r.Close()))
	}
	for b.Loop() {
		begin := time.Now()
		out, err := c.s3.GetObject(b.Context(), &s3.GetObjectInput{Bucket: aws.String("data"), Key: aws.String("k")})
		check(b, err)
		drain(out.Body)
		get += time.Since(begin)
		begin = time.Now()
		f, err := os.Open(file)
		check(b, err)
		drain(f)
		plain += time.Since(begin)
		begin = time.Now()
		answer, err := http.Get(files.URL + "/k")
		check(b, err)
		drain(answer.Body)
		served += time.Since(begin)
	}
	reportRate(b, "get", get)
	reportRate(b, "net/http", served)
	reportRate(b, "file", plain)
}

const manyKeys = 100_000

// fill puts many small objects into a directory that no endpoint owns.
func fill(b *testing.B, dir string) {
	b.Helper()
	store, err := state.Open(dir)
	check(b, err)
	objects, err := localstore.New(localstore.Config{Store: store})
	check(b, err)
	caller := wire.Root(account, region)
	var running sync.WaitGroup
	const workers = 64
	for w := range workers {
		running.Go(func() {
			for i := w; i < manyKeys; i += workers {
				if err := objects.PutBytes(b.Context(), caller, "data", fmt.Sprintf("dt=2026-01-%02d/part-%06d.parquet", i%28+1, i), []byte("x")); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	running.Wait()
	check(b, errors.Join(objects.Close(), store.Close()))
}

// BenchmarkList100k lists 100,000 keys, beside a walk over as many files.
func BenchmarkList100k(b *testing.B) {
	dir := b.TempDir()
	p := up(b, dir)
	_, err := newSDK(configOf(p.url, "test", "test", "")).s3.CreateBucket(b.Context(), &s3.CreateBucketInput{Bucket: aws.String("data")})
	check(b, err)
	p.down()
	fill(b, dir)
	p = up(b, dir)
	b.Cleanup(p.down)
	c := newSDK(configOf(p.url, "test", "test", ""))
	var list, walk time.Duration
	for b.Loop() {
		begin, n := time.Now(), 0
		pages := s3.NewListObjectsV2Paginator(c.s3, &s3.ListObjectsV2Input{Bucket: aws.String("data")})
		for pages.HasMorePages() {
			page, err := pages.NextPage(b.Context())
			check(b, err)
			n += len(page.Contents)
		}
		list += time.Since(begin)
		begin = time.Now()
		files := 0
		check(b, filepath.WalkDir(filepath.Join(dir, "s3", account, "data", "current"), func(_ string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				_, err = d.Info()
				files++
			}
			return err
		}))
		walk += time.Since(begin)
		if n != manyKeys || files != manyKeys {
			b.Fatalf("%d keys and %d files, want %d", n, files, manyKeys)
		}
	}
	b.ReportMetric(list.Seconds()/float64(b.N), "list-s")
	b.ReportMetric(walk.Seconds()/float64(b.N), "walk-s")
}

// counting is a machine of 1,001 transitions: a loop of a Pass and a Choice.
const counting = `{"StartAt":"A","States":{"A":{"Type":"Pass","Parameters":{"n.$":"States.MathAdd($.n,1)"},"Next":"C"},
	"C":{"Type":"Choice","Choices":[{"Variable":"$.n","NumericLessThan":500,"Next":"A"}],"Default":"Z"},"Z":{"Type":"Succeed"}}}`

func serviceRole(b *testing.B, c *sdk, service string) *string {
	out, err := c.iam.CreateRole(b.Context(), &iam.CreateRoleInput{RoleName: aws.String("bench"), AssumeRolePolicyDocument: aws.String(trusts(service))})
	check(b, err)
	_, err = c.iam.PutRolePolicy(b.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("bench"), PolicyName: aws.String("all"), PolicyDocument: aws.String(policy(allow("*", "*")))})
	check(b, err)
	return out.Role.Arn
}

// BenchmarkTransitions runs executions with their history kept, one at a time
// and eight together.
func BenchmarkTransitions(b *testing.B) {
	for _, together := range []int{1, 8} {
		b.Run(fmt.Sprintf("together=%d", together), func(b *testing.B) {
			c := ready(b)
			m, err := c.sfn.CreateStateMachine(b.Context(), &sfn.CreateStateMachineInput{Name: aws.String("m"), Definition: aws.String(counting), RoleArn: serviceRole(b, c, "states.amazonaws.com")})
			check(b, err)
			for b.Loop() {
				var running sync.WaitGroup
				for range together {
					running.Go(func() { finish(b, c, m.StateMachineArn) })
				}
				running.Wait()
			}
			b.ReportMetric(float64(1001*together*b.N)/b.Elapsed().Seconds(), "transitions/s")
		})
	}
}

func finish(b *testing.B, c *sdk, machine *string) {
	x, err := c.sfn.StartExecution(b.Context(), &sfn.StartExecutionInput{StateMachineArn: machine, Input: aws.String(`{"n":0}`)})
	for err == nil {
		var d *sfn.DescribeExecutionOutput
		d, err = c.sfn.DescribeExecution(b.Context(), &sfn.DescribeExecutionInput{ExecutionArn: x.ExecutionArn})
		if err == nil && d.Status == types.ExecutionStatusSucceeded {
			return
		}
		if err == nil && d.Status != types.ExecutionStatusRunning {
			err = fmt.Errorf("the execution is %s: %s", d.Status, aws.ToString(d.Cause))
		}
		time.Sleep(time.Millisecond) // asking costs what is measured
	}
	b.Error(err)
}

// echoZip is the echo function's code.
func echoZip() ([]byte, error) { return functionZip("./testdata/echo") }

// functionZip packs a program as the bootstrap of a function.
func functionZip(name string) ([]byte, error) {
	path, err := program(name)
	if err != nil {
		return nil, err
	}
	code, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate}
	header.SetMode(0o755)
	f, err := w.CreateHeader(header)
	if err != nil {
		return nil, err
	}
	_, err = f.Write(code)
	err = errors.Join(err, w.Close())
	return out.Bytes(), err
}

// BenchmarkLambda invokes a function that answers at once: cold after its
// configuration changed, then warm, beside a call that runs nothing.
func BenchmarkLambda(b *testing.B) {
	c := ready(b)
	f := lambda.NewFromConfig(c.config)
	code, err := echoZip()
	check(b, err)
	name := aws.String("echo")
	_, err = f.CreateFunction(b.Context(), &lambda.CreateFunctionInput{FunctionName: name, Role: serviceRole(b, c, "lambda.amazonaws.com"), Runtime: lambdatypes.RuntimeProvidedal2023,
		Handler: aws.String("bootstrap"), Code: &lambdatypes.FunctionCode{ZipFile: code}, MemorySize: aws.Int32(256)})
	check(b, err)
	invoke := func() time.Duration {
		begin := time.Now()
		out, err := f.Invoke(b.Context(), &lambda.InvokeInput{FunctionName: name, Payload: []byte(`{"n":1}`)})
		check(b, err)
		if out.FunctionError != nil || string(out.Payload) != `{"n":1}` {
			b.Fatalf("%s %s", aws.ToString(out.FunctionError), out.Payload)
		}
		return time.Since(begin)
	}
	var cold, warm, nothing []time.Duration
	for b.Loop() {
		for i := range 10 {
			_, err := f.UpdateFunctionConfiguration(b.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: name, Description: aws.String(fmt.Sprint(b.N, len(cold), i))})
			check(b, err)
			cold = append(cold, invoke())
			for range 200 {
				warm = append(warm, invoke())
				begin := time.Now()
				_, err := f.GetFunctionConfiguration(b.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: name})
				check(b, err)
				nothing = append(nothing, time.Since(begin))
			}
		}
	}
	b.ReportMetric(0, "ns/op")
	quantiles(b, "cold-", cold)
	quantiles(b, "warm-", warm)
	quantiles(b, "no-invoke-", nothing)
}

const groups = `SELECT g, count(*) AS n, avg(v) AS mean, max(w) AS top FROM %s GROUP BY g ORDER BY g`

// BenchmarkAthena groups 100,000 rows of Parquet from the call until the result
// is written, beside DuckDB that groups the same file.
func BenchmarkAthena(b *testing.B) {
	c, file := ready(b), filepath.Join(b.TempDir(), "rows.parquet")
	db, err := sql.Open("duckdb", "")
	check(b, err)
	defer db.Close()
	_, err = db.Exec(`COPY (SELECT i % 100 AS g, random() AS v, hash(i)::DOUBLE AS w, i AS id FROM range(100000) t(i)) TO '` + file + `' (FORMAT parquet)`)
	check(b, err)
	body, err := os.ReadFile(file)
	check(b, err)
	_, err = c.s3.CreateBucket(b.Context(), &s3.CreateBucketInput{Bucket: aws.String("data")})
	check(b, err)
	_, err = c.s3.PutObject(b.Context(), &s3.PutObjectInput{Bucket: aws.String("data"), Key: aws.String("rows/1.parquet"), Body: bytes.NewReader(body)})
	check(b, err)
	a := athena.NewFromConfig(c.config)
	check(b, query(b.Context(), a, `CREATE DATABASE bench`))
	check(b, query(b.Context(), a, `CREATE EXTERNAL TABLE bench.rows (g bigint, v double, w double, id bigint) STORED AS PARQUET LOCATION 's3://data/rows/'`))
	var service, direct []time.Duration
	for b.Loop() {
		for range 50 {
			begin := time.Now()
			check(b, query(b.Context(), a, fmt.Sprintf(groups, "bench.rows")))
			service = append(service, time.Since(begin))
			begin = time.Now()
			rows, err := db.Query(fmt.Sprintf(groups, "read_parquet('"+file+"')"))
			check(b, err)
			for rows.Next() {
			}
			check(b, errors.Join(rows.Err(), rows.Close()))
			direct = append(direct, time.Since(begin))
		}
	}
	b.ReportMetric(0, "ns/op")
	quantiles(b, "athena-", service)
	quantiles(b, "duckdb-", direct)
}

// query runs a statement until it has ended.
func query(ctx context.Context, a *athena.Client, text string) error {
	x, err := a.StartQueryExecution(ctx, &athena.StartQueryExecutionInput{QueryString: &text,
		ResultConfiguration: &athenatypes.ResultConfiguration{OutputLocation: aws.String("s3://data/results/")}})
	for err == nil {
		var d *athena.GetQueryExecutionOutput
		if d, err = a.GetQueryExecution(ctx, &athena.GetQueryExecutionInput{QueryExecutionId: x.QueryExecutionId}); err != nil {
			break
		}
		time.Sleep(time.Millisecond) // asking costs what is measured
		switch s := d.QueryExecution.Status; s.State {
		case athenatypes.QueryExecutionStateSucceeded:
			return nil
		case athenatypes.QueryExecutionStateFailed, athenatypes.QueryExecutionStateCancelled:
			return fmt.Errorf("%s: %s", text, aws.ToString(s.StateChangeReason))
		}
	}
	return err
}
