// Command batch is a Lambda function that works on messages of a queue: it
// prints what it gets, and fails those whose body has "bad" in it.
package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

func handle(_ context.Context, in events.SQSEvent) (events.SQSEventResponse, error) {
	var out events.SQSEventResponse
	for _, r := range in.Records {
		fmt.Println("message", r.Body, r.EventSourceARN, r.Attributes["ApproximateReceiveCount"], len(in.Records))
		if strings.Contains(r.Body, "bad") {
			out.BatchItemFailures = append(out.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: r.MessageId})
		}
	}
	return out, nil
}

func main() { lambda.Start(handle) }
