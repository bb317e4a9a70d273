// Command echo is a Lambda function that answers with what it got.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
)

func handle(_ context.Context, in json.RawMessage) (json.RawMessage, error) {
	fmt.Println("got", string(in))
	if strings.Contains(string(in), "fail") {
		return nil, errors.New("asked to fail")
	}
	return in, nil
}

func main() { lambda.Start(handle) }
