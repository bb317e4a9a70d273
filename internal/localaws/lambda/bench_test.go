package lambda_test

import (
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"engage/internal/localaws/lambda"
	"engage/internal/localaws/wire"
)

// percentiles reports the median and the 99th percentile.
func percentiles(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	b.ReportMetric(took[len(took)/2].Seconds()*1000, "p50-ms")
	b.ReportMetric(took[len(took)*99/100].Seconds()*1000, "p99-ms")
}

// BenchmarkWarm is what the endpoint adds to a function that does nothing, the
// runtime's own HTTP client and JSON included.
func BenchmarkWarm(b *testing.B) {
	e := boot(b, b.TempDir(), nil)
	e.create(b, function("f", "h", good))
	in := &lambda.InvokeInput{FunctionName: "f", Payload: []byte(`{}`)}
	caller := wire.Root(wire.DefaultAccount, "eu-west-1")
	if _, err := e.service.Invoke(b.Context(), caller, in); err != nil {
		b.Fatal(err)
	}
	var took []time.Duration
	for b.Loop() {
		begin := time.Now()
		if _, err := e.service.Invoke(b.Context(), caller, in); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(begin))
	}
	percentiles(b, took)
}

// BenchmarkWarmHTTP is the same through the SDK and the listener.
func BenchmarkWarmHTTP(b *testing.B) {
	e := boot(b, b.TempDir(), nil)
	e.create(b, function("f", "h", good))
	e.invoke(b, "f", `{}`)
	var took []time.Duration
	for b.Loop() {
		begin := time.Now()
		e.invoke(b, "f", `{}`)
		took = append(took, time.Since(begin))
	}
	percentiles(b, took)
}

// BenchmarkCold starts an instance for each invocation.
func BenchmarkCold(b *testing.B) {
	e := boot(b, b.TempDir(), nil)
	in := function("f", "exit", good)
	in.Timeout = aws.Int32(30)
	e.create(b, in)
	var took []time.Duration
	for b.Loop() {
		begin := time.Now()
		e.invoke(b, "f", `{"Op":"panic"}`)
		took = append(took, time.Since(begin))
	}
	percentiles(b, took)
}
