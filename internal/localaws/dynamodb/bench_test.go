package dynamodb_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// BenchmarkItems measures single calls over HTTP and prints the middle one.
func BenchmarkItems(b *testing.B) {
	w := boot(b)
	w.orders(b)
	item := func(i int) values {
		return values{"pk": text("p"), "sk": number(i), "state": text("s"), "amount": number(i), "name": text(fmt.Sprint("customer ", i)), "score": number(i * 7)}
	}
	for i := range 1000 {
		w.put(b, "orders", item(i))
	}
	b.Run("put", func(b *testing.B) { middle(b, func(i int) { w.put(b, "orders", item(i%1000)) }) })
	b.Run("get", func(b *testing.B) {
		middle(b, func(i int) { w.get(b, "orders", values{"pk": text("p"), "sk": number(i % 1000)}) })
	})
	b.Run("query", func(b *testing.B) {
		n := 0
		for b.Loop() {
			out, err := w.Query(b.Context(), &sdk.QueryInput{TableName: aws.String("orders"), KeyConditionExpression: aws.String("pk = :p"), ExpressionAttributeValues: values{":p": text("p")}})
			if err != nil {
				b.Fatal(err)
			}
			n += int(out.Count)
		}
		b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "items/s")
	})
}

// middle runs calls and reports the time of the middle one.
func middle(b *testing.B, call func(int)) {
	var all []time.Duration
	for b.Loop() {
		start := time.Now()
		call(len(all))
		all = append(all, time.Since(start))
	}
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "p50-ms")
}
